//! A consumer that keeps what it gets.

use crate::backend::{Backend, PATIENCE, QUIET};
use ordermill_actors::ports::{DeadMessage, Delivery, DeliverySink, Subscription};
use ordermill_domain::messages::Queue;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked into.
const POLL_EVERY: Duration = Duration::from_millis(2);

/// Deliveries and dead letters, in the order in which they came.
#[derive(Default)]
pub struct Collector {
    deliveries: Mutex<Vec<Delivery>>,
    dead: Mutex<Vec<DeadMessage>>,
}

impl DeliverySink for Collector {
    fn deliver(&self, delivery: Delivery) {
        self.deliveries.lock().unwrap().push(delivery);
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
        self.dead.lock().unwrap().push(dead);
    }
}

/// A subscription and what it has collected.
pub struct TestConsumer {
    /// What came.
    pub collector: Arc<Collector>,
    /// Ends when dropped.
    pub subscription: Box<dyn Subscription>,
}

/// Consumes a queue.
pub async fn consumer_of(backend: &dyn Backend, queue: Queue, prefetch: usize) -> TestConsumer {
    let collector = Arc::new(Collector::default());
    let subscription =
        backend.broker().subscribe(queue, prefetch, collector.clone()).await.unwrap();
    TestConsumer { collector, subscription }
}

impl TestConsumer {
    /// Everything that has come so far.
    pub fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.collector.deliveries.lock().unwrap())
    }

    /// The next `count` deliveries, and not one more.
    pub async fn exactly(&self, count: usize) -> Vec<Delivery> {
        let deliveries = self.at_least(count).await;
        assert_eq!(deliveries.len(), count);
        deliveries
    }

    /// The next deliveries, when `count` are there.
    pub async fn at_least(&self, count: usize) -> Vec<Delivery> {
        self.until(|| self.collector.deliveries.lock().unwrap().len() >= count).await;
        self.take()
    }

    /// The next delivery.
    pub async fn one(&self) -> Delivery {
        self.exactly(1).await.remove(0)
    }

    /// The next dead letter.
    pub async fn dead(&self) -> DeadMessage {
        self.until(|| !self.collector.dead.lock().unwrap().is_empty()).await;
        self.collector.dead.lock().unwrap().remove(0)
    }

    /// How many dead letters are there.
    pub fn dead_letter_count(&self) -> usize {
        self.collector.dead.lock().unwrap().len()
    }

    /// Checks that nothing comes.
    pub async fn nothing_comes(&self) {
        tokio::time::sleep(QUIET).await;
        assert_eq!(self.collector.deliveries.lock().unwrap().len(), 0, "something came");
        assert_eq!(self.dead_letter_count(), 0, "something was given up");
    }

    /// Waits for a delivery or a dead letter, and forgets it unacknowledged.
    pub async fn anything(&self) {
        let collector = &self.collector;
        self.until(|| {
            !collector.deliveries.lock().unwrap().is_empty()
                || !collector.dead.lock().unwrap().is_empty()
        })
        .await;
    }

    async fn until(&self, mut comes: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !comes() {
            assert!(Instant::now() < deadline, "it does not come");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

/// Acknowledges deliveries well.
pub fn ack(deliveries: &[Delivery]) {
    for delivery in deliveries {
        delivery.channel.ack(delivery.tag);
    }
}
