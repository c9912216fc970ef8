//! The broker that stands behind the services: in the process, or RabbitMQ.

use crate::app::boot::{Boot, Wait};
use crate::config::{Config, Infrastructure};
use anyhow::anyhow;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::{Broker, Rpc};
#[derive(Clone)]
pub struct RabbitBroker;
impl RabbitBroker {
    pub async fn close(&self) {}
}
use std::sync::Arc;
use tokio::time::Instant;

/// The broker, by what is asked of it.
pub struct Brokers {
    /// Takes and brings messages.
    pub broker: Arc<dyn Broker>,
    /// Takes and brings questions.
    pub rpc: Arc<dyn Rpc>,
    rabbit: Option<RabbitBroker>,
}

impl Brokers {
    /// Connects to the broker that the settings name, and declares everything there.
    pub async fn open(config: &Config, boot: &Boot) -> anyhow::Result<Self> {
        match &config.infrastructure {
            Infrastructure::Embedded => {
                let local = LocalBroker::default();
                Ok(Self { broker: Arc::new(local.clone()), rpc: Arc::new(local), rabbit: None })
            }
            Infrastructure::Servers(servers) => {
                anyhow::bail!("not in this build")
            }
        }
    }

    /// Has acks and confirms that are under way reach the broker, and leaves it.
    pub async fn close(&self, deadline: Instant) {
        if let Some(rabbit) = &self.rabbit {
            let _ = tokio::time::timeout_at(deadline, rabbit.close()).await;
        }
    }
}
