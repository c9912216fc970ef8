//! The broker that stands behind the services: in the process, or RabbitMQ.

use crate::app::boot::{Boot, NotReady};
use crate::config::{Config, Infrastructure};
use anyhow::anyhow;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::{Broker, Rpc};
use ordermill_domain::ids::ServiceName;
use ordermill_rabbitmq::{Claim, RabbitBroker};
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// The broker, by what is asked of it.
pub struct Brokers {
    /// Takes and brings messages.
    pub broker: Arc<dyn Broker>,
    /// Takes and brings questions.
    pub rpc: Arc<dyn Rpc>,
    rabbit: Option<RabbitBroker>,
}

impl Brokers {
    /// Connects to the broker that the settings name, claims its vhost for these databases, and declares
    /// everything there.
    pub async fn open(
        config: &Config,
        boot: &Boot,
        identities: Vec<(ServiceName, Uuid)>,
    ) -> anyhow::Result<Self> {
        match &config.infrastructure {
            Infrastructure::Embedded => {
                let local = LocalBroker::default();
                Ok(Self { broker: Arc::new(local.clone()), rpc: Arc::new(local), rabbit: None })
            }
            Infrastructure::Servers(servers) => {
                let claim = |(service, identity)| Claim { service, identity };
                let claims: Vec<_> = identities.into_iter().map(claim).collect();
                let connect = async || {
                    let name = connection_name(config);
                    let url = servers.amqp.expose();
                    let connected = RabbitBroker::connect(url, &name, &claims).await;
                    connected.map_err(|error| match error.may_pass() {
                        true => NotReady::Again(anyhow!(error)),
                        false => NotReady::Never(anyhow!(error).context("RabbitMQ")),
                    })
                };
                let rabbit = boot.wait_for("RabbitMQ", connect).await?;
                let (broker, rpc) = (Arc::new(rabbit.clone()), Arc::new(rabbit.clone()));
                Ok(Self { broker, rpc, rabbit: Some(rabbit) })
            }
        }
    }

    /// Completes when the broker's own work has failed, which no restart of an actor mends.
    pub async fn failed(&self) {
        match &self.rabbit {
            Some(rabbit) => rabbit.failed().await,
            None => std::future::pending().await,
        }
    }

    /// Has acks and confirms that are under way reach the broker, and leaves it.
    pub async fn close(&self, deadline: Instant) {
        if let Some(rabbit) = &self.rabbit {
            let _ = tokio::time::timeout_at(deadline, rabbit.close()).await;
        }
    }
}

/// What the broker's management page calls this process.
fn connection_name(config: &Config) -> String {
    let services: Vec<_> = config.services.iter().map(|service| service.as_str()).collect();
    format!("ordermill {} ({})", services.join(","), std::process::id())
}
