//! What a broker must offer to be held to the contract.

use async_trait::async_trait;
use ordermill_actors::ports::{Broker, PublishOutcome, Rpc};
use ordermill_domain::messages::{Body, Exchange, Message};
use ordermill_domain::outbox::OutboundMessage;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The longest that anything may take here that takes no time by itself.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// After this time nothing more is expected to come.
pub const QUIET: Duration = Duration::from_millis(300);

/// A broker with nothing in it.
#[async_trait]
pub trait Backend: Send + Sync {
    /// As relays and consumers see it.
    fn broker(&self) -> Arc<dyn Broker>;
    /// As those see it who ask and answer.
    fn rpc(&self) -> Arc<dyn Rpc>;
    /// Ends it.
    async fn close(&self);
}

/// A publish under way, seen to as a relay does: what is deferred is published again after its delay, as
/// far as it is not taken.
pub struct PendingOutcome(JoinHandle<PublishOutcome>);

impl PendingOutcome {
    /// What became of it in the end.
    pub async fn ended(self) -> PublishOutcome {
        let ended = tokio::time::timeout(PATIENCE * 3, self.0).await;
        ended.expect("nothing became of a publish").unwrap()
    }

    /// Checks that it was taken in the end.
    pub async fn taken(self) {
        assert_eq!(self.ended().await, PublishOutcome::Taken);
    }
}

/// Publishes a message.
pub fn publish(backend: &dyn Backend, message: OutboundMessage) -> PendingOutcome {
    let broker = backend.broker();
    // The publish itself is made here and now: order counts.
    let answer = post(&*broker, message);
    PendingOutcome(tokio::spawn(async move {
        let mut answers = VecDeque::from([answer]);
        while let Some(answer) = answers.pop_front() {
            match answer.await.expect("a publish is always answered") {
                PublishOutcome::Taken => {}
                PublishOutcome::Deferred { left, delay } => {
                    tokio::time::sleep(delay).await;
                    answers.extend(left.into_iter().map(|message| post(&*broker, message)));
                }
                how @ (PublishOutcome::Unroutable | PublishOutcome::Lost) => return how,
            }
        }
        PublishOutcome::Taken
    }))
}

fn post(broker: &dyn Broker, message: OutboundMessage) -> oneshot::Receiver<PublishOutcome> {
    let (sender, receiver) = oneshot::channel();
    broker.publish(message, Box::new(move |how| drop(sender.send(how))));
    receiver
}

/// Publishes a message.
pub fn send(backend: &dyn Backend, exchange: Exchange, message: &Arc<Message>) -> PendingOutcome {
    publish(backend, OutboundMessage::new(exchange, Body::One(message.clone())))
}
