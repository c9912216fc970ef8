//! How full the queues are, as the broker says.

use crate::error::LinkError;
use crate::link::{Link, Live, answer};
use futures::future::try_join_all;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long the broker may take to say how full its queues are.
const SAID_WITHIN: Duration = Duration::from_secs(2);

/// How full a queue is; any queue that Ordermill declares, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// Its name.
    pub name: String,
    /// Messages that wait in it.
    pub ready: u64,
    /// Consumers of all processes.
    pub consumers: u64,
}

/// Asks for one queue's depth. The channel ends when there is no such queue.
pub async fn depth(channel: &Channel, name: &str) -> Result<QueueDepth, LinkError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let asked = channel.queue_declare(name.into(), options, FieldTable::default());
    let queue = answer(SAID_WITHIN, asked).await?;
    Ok(QueueDepth {
        name: name.to_owned(),
        ready: queue.message_count().into(),
        consumers: queue.consumer_count().into(),
    })
}

/// A channel for such questions, opened when it is needed.
pub struct Probe {
    link: Link,
    channel: Mutex<Option<(Arc<Live>, Channel)>>,
}

impl Probe {
    /// A probe on a connection that is kept.
    pub fn new(link: Link) -> Self {
        Self { link, channel: Mutex::new(None) }
    }

    /// The depths of these queues, in their order.
    pub async fn depths(&self, names: &[String]) -> Result<Vec<QueueDepth>, LinkError> {
        let live = self.link.now()?;
        let mut kept = self.channel.lock().await;
        let channel = match kept.take() {
            Some((of, channel)) if Arc::ptr_eq(&of, &live) => channel,
            Some(_) | None => live.channel().await?,
        };
        let asked = try_join_all(names.iter().map(|name| depth(&channel, name)));
        let depths = live.unless_ended(asked).await;
        match &depths {
            // Only a channel on which all went well is used again.
            Ok(_) => *kept = Some((live, channel)),
            Err(error) if error.is_missing() => {
                // Somebody has deleted a queue. It is declared again, and the next question is answered.
                if let Err(error) = live.declare().await {
                    tracing::error!(%error, "declaring the topology again failed");
                }
            }
            Err(_) => {}
        }
        depths
    }
}
