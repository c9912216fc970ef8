//! What a broker must offer to be held to the contract.

use async_trait::async_trait;
use ordermill_actors::messages::{Body, Exchange, Message};
use ordermill_actors::ports::{Broker, Confirmed, Rpc};
use ordermill_actors::runtime::outbox::Parcel;
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
pub struct Sent(JoinHandle<Confirmed>);

impl Sent {
    /// What became of it in the end.
    pub async fn ended(self) -> Confirmed {
        let ended = tokio::time::timeout(PATIENCE * 3, self.0).await;
        ended.expect("nothing became of a publish").unwrap()
    }

    /// Checks that it was taken in the end.
    pub async fn taken(self) {
        assert_eq!(self.ended().await, Confirmed::Taken);
    }
}

/// Publishes a parcel.
pub fn publish(backend: &dyn Backend, parcel: Parcel) -> Sent {
    let broker = backend.broker();
    // The publish itself is made here and now: order counts.
    let answer = post(&*broker, parcel);
    Sent(tokio::spawn(async move {
        let mut answers = VecDeque::from([answer]);
        while let Some(answer) = answers.pop_front() {
            match answer.await.expect("a publish is always answered") {
                Confirmed::Taken => {}
                Confirmed::Deferred { left, delay } => {
                    tokio::time::sleep(delay).await;
                    answers.extend(left.into_iter().map(|parcel| post(&*broker, parcel)));
                }
                how @ (Confirmed::Unroutable | Confirmed::Lost) => return how,
            }
        }
        Confirmed::Taken
    }))
}

fn post(broker: &dyn Broker, parcel: Parcel) -> oneshot::Receiver<Confirmed> {
    let (sender, receiver) = oneshot::channel();
    broker.publish(parcel, Box::new(move |how| drop(sender.send(how))));
    receiver
}

/// Publishes a message.
pub fn send(backend: &dyn Backend, exchange: Exchange, message: &Arc<Message>) -> Sent {
    publish(backend, Parcel::new(exchange, Body::One(message.clone())))
}
