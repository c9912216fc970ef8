//! A broker that takes everything and brings nothing by itself: whoever holds it hands one queue's consumer
//! what it should get.

use crate::ports::{
    Broker, BrokerError, ConfirmCallback, DeliverySink, Depth, Health, PublishOutcome, Subscription,
};
use async_trait::async_trait;
use ordermill_domain::messages::Queue;
use ordermill_domain::outbox::OutboundMessage;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::watch;

/// The broker.
pub struct ManualBroker {
    queue: Queue,
    sink: watch::Sender<Option<Arc<dyn DeliverySink>>>,
    /// How often the queue was subscribed to.
    pub subscriptions: AtomicU64,
    /// How many deliveries it says wait in the queue.
    pub ready: AtomicU64,
    /// It does not say how many wait.
    pub away: AtomicBool,
}

impl ManualBroker {
    /// For this queue's consumer; others that subscribe get nothing.
    pub fn of(queue: Queue) -> Self {
        Self {
            queue,
            sink: watch::Sender::new(None),
            subscriptions: AtomicU64::default(),
            ready: AtomicU64::default(),
            away: AtomicBool::default(),
        }
    }

    /// The queue's consumer, as soon as it is there.
    pub async fn consumer(&self) -> Arc<dyn DeliverySink> {
        let mut sink = self.sink.subscribe();
        let there = sink.wait_for(Option::is_some).await;
        let there = there.expect("the desk itself holds the sender").clone();
        there.expect("it was waited for")
    }
}

struct Held;

impl Subscription for Held {}

#[async_trait]
impl Broker for ManualBroker {
    fn publish(&self, _: OutboundMessage, confirm: ConfirmCallback) {
        confirm(PublishOutcome::Taken);
    }

    async fn subscribe(
        &self,
        queue: Queue,
        _: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        if queue == self.queue {
            self.subscriptions.fetch_add(1, Relaxed);
            self.sink.send_replace(Some(sink));
        }
        Ok(Box::new(Held))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        if self.away.load(Relaxed) {
            return Err(BrokerError("told to be away".to_owned()));
        }
        let ready = self.ready.load(Relaxed);
        Ok(vec![Depth { queue: self.queue, ready, unacked: 0, consumers: 1 }])
    }

    fn health(&self) -> Health {
        Health::Connected
    }
}
