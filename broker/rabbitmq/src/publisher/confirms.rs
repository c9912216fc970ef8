//! Confirms that are awaited, and whose they are.
//!
//! lapin gives a returned message to whichever confirm it completes next, which need not be the returned
//! message's own: of a broker's ack of many, it completes any first. So what was returned is known by what
//! the message itself says, and what is confirmed counts only together with everything that was completed
//! before it. (The broker sends a return before its confirm, so its bearer is completed no later.) Who bears
//! another's return may be returned as well, and is published again: where some are returned, others may
//! come twice.

use super::PendingPublish;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};

/// Awaited confirms of one channel.
pub struct Confirms {
    pending: FuturesUnordered<BoxFuture<'static, (u64, lapin::Result<Confirmation>)>>,
    first: Option<(u64, lapin::Result<Confirmation>)>,
}

/// Confirms that came, up to the last.
pub struct Batch {
    pub confirmed: Vec<(u64, Confirmation)>,
    /// What was returned among them, or before their own confirms.
    pub returned: Vec<Identity>,
    /// An error: the channel is at its end.
    pub ended: lapin::Result<()>,
}

/// What tells a publish from others in flight. Two that are alike say the same to the same queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    exchange: String,
    key: String,
    message_id: Option<String>,
}

impl Identity {
    pub fn of(publish: &PendingPublish) -> Self {
        Self {
            exchange: publish.exchange.to_string(),
            key: publish.key.to_string(),
            message_id: id(&publish.properties),
        }
    }

    pub fn of_returned(message: &BasicReturnMessage) -> Self {
        Self {
            exchange: message.exchange.as_str().to_owned(),
            key: message.routing_key.as_str().to_owned(),
            message_id: id(&message.properties),
        }
    }
}

fn id(properties: &BasicProperties) -> Option<String> {
    properties.message_id().as_ref().map(|id| id.as_str().to_owned())
}

impl Confirms {
    pub fn new() -> Self {
        Self { pending: FuturesUnordered::new(), first: None }
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.first.is_none()
    }

    /// Publishes. Nothing is sent before the confirms are next looked at; then in this order.
    pub fn publish(&self, channel: &Channel, number: u64, publish: &PendingPublish) {
        let (channel, content) = (channel.clone(), publish.content.clone());
        let (exchange, key) = (publish.exchange.clone(), publish.key.clone());
        let properties = publish.properties.clone();
        let options = BasicPublishOptions { mandatory: publish.mandatory, immediate: false };
        self.pending.push(Box::pin(async move {
            let sent = {
                let bytes = content.bytes();
                let (exchange, key) = ((&*exchange).into(), (&*key).into());
                channel.basic_publish(exchange, key, options, &bytes, properties).await
            };
            drop(content);
            match sent {
                Ok(confirm) => (number, confirm.await),
                Err(error) => (number, Err(error)),
            }
        }));
    }

    /// Completes when there is something to take. May be dropped on the way.
    pub async fn some(&mut self) {
        if self.first.is_none() {
            self.first = self.pending.next().await;
        }
    }

    /// Takes everything that has come.
    pub fn take(&mut self) -> Batch {
        let mut batch = Batch { confirmed: Vec::new(), returned: Vec::new(), ended: Ok(()) };
        let mut quiet = 0;
        // A look may end early, to be fair to others, though more is there: the second one does not.
        while quiet < 2 {
            let first = self.first.take();
            let next = first.or_else(|| self.pending.next().now_or_never().flatten());
            let Some((number, confirmation)) = next else {
                quiet += 1;
                continue;
            };
            quiet = 0;
            match confirmation {
                Ok(confirmation) => {
                    if let Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) =
                        &confirmation
                    {
                        batch.returned.push(Identity::of_returned(message));
                    }
                    batch.confirmed.push((number, confirmation));
                }
                Err(error) => batch.ended = Err(error),
            }
        }
        batch
    }
}
