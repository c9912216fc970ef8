//! /admin/queues: how full the queues are.

use crate::api::group::Group;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::word::Word;
use ordermill_actors::ports::{Broker, Depth};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::Queue;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use std::time::Duration;

/// A broker that does not answer by then counts as away.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// When it is worth another try after the broker was away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A queue.
#[derive(Object)]
struct QueueView {
    /// Its name.
    queue: Word<Queue>,
    /// The service that consumes it.
    service: Word<ServiceName>,
    /// Number of messages ready for delivery. A bundle counts as one message.
    ready: u64,
    /// Number of messages delivered to consumers of this process and not yet acknowledged. A bundle
    /// counts as one message. Deliveries to other processes are not counted.
    unacked: u64,
    /// Number of consumers in all processes.
    consumers: u64,
}

impl From<&Depth> for QueueView {
    fn from(depth: &Depth) -> Self {
        Self {
            queue: depth.queue.into(),
            service: depth.queue.service().into(),
            ready: depth.ready,
            unacked: depth.unacked,
            consumers: depth.consumers,
        }
    }
}

/// Every queue.
#[derive(Object)]
struct QueueList {
    /// All queues, by name.
    queues: Vec<QueueView>,
}

/// The routes.
pub struct QueuesApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl QueuesApi {
    /// List all queues with their depths and consumers
    ///
    /// Depths and consumers are reported by the broker; `unacked` counts the deliveries to
    /// consumers of this process.
    #[oai(path = "/admin/queues", method = "get")]
    async fn queues(&self) -> Result<Json<QueueList>, Problem> {
        let depths = depths(&*self.0.broker).await?;
        Ok(Json(QueueList { queues: depths.iter().map(QueueView::from).collect() }))
    }
}

/// What the broker says, in the order of the queues.
async fn depths(broker: &dyn Broker) -> Result<Vec<Depth>, Problem> {
    let away = |cause: &dyn std::fmt::Display| {
        tracing::warn!(service = "http", %cause, "reading the queue depths failed");
        Problem::unavailable("the broker does not respond; retry later", RETRY_AFTER)
    };
    let depths = tokio::time::timeout(ANSWER_MAX, broker.depths()).await;
    let mut depths = depths.map_err(|late| away(&late))?.map_err(|error| away(&error))?;
    depths.sort_by_key(|depth| depth.queue);
    Ok(depths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use ordermill_actors::ports::{
        BrokerError, ConfirmCallback, DeliverySink, Health, Subscription,
    };
    use ordermill_domain::outbox::OutboundMessage;
    use std::sync::Arc;

    /// A broker that is away, and says so at once or never.
    struct Away {
        at_once: bool,
    }

    #[async_trait]
    impl Broker for Away {
        fn publish(&self, _: OutboundMessage, _: ConfirmCallback) {}

        async fn subscribe(
            &self,
            _: Queue,
            _: usize,
            _: Arc<dyn DeliverySink>,
        ) -> Result<Box<dyn Subscription>, BrokerError> {
            Err(BrokerError("connection refused".to_owned()))
        }

        async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
            match self.at_once {
                true => Err(BrokerError("connection refused".to_owned())),
                false => std::future::pending().await,
            }
        }

        fn health(&self) -> Health {
            Health::Away("connection refused".to_owned())
        }
    }

    #[tokio::test]
    async fn a_broker_that_is_away_is_503() {
        for at_once in [true, false] {
            let answer = depths(&Away { at_once }).await;
            assert!(matches!(answer, Err(Problem::Unavailable(..))), "at once: {at_once}");
        }
    }
}
