//! What is timed of consumers. How many deliveries and messages they take is counted by themselves, for admission.

use super::{Histograms, QueueLabel, short};
use ordermill_domain::messages::Queue;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The families of all consumers.
#[derive(Clone, Debug)]
pub struct ConsumerFamilies {
    handle: Histograms<QueueLabel>,
    delay: Histograms<QueueLabel>,
}

impl Default for ConsumerFamilies {
    fn default() -> Self {
        let short = short as fn() -> Histogram;
        Self {
            handle: Family::new_with_constructor(short),
            delay: Family::new_with_constructor(short),
        }
    }
}

impl ConsumerFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Time from a delivery until the effects of its messages are committed";
        registry.register("ordermill_consumer_handle_seconds", help, self.handle.clone());
        let help = "Time from the decision of a message to its first delivery; of a bundle, its first message's";
        registry.register("ordermill_consumer_queue_delay_seconds", help, self.delay.clone());
    }

    /// Those of a queue's consumer.
    pub fn of(&self, queue: Queue) -> ConsumerMetrics {
        let label = QueueLabel { queue: queue.as_str() };
        ConsumerMetrics {
            handle: self.handle.get_or_create_owned(&label),
            delay: self.delay.get_or_create_owned(&label),
        }
    }
}

/// What is timed of one consumer.
#[derive(Clone, Debug)]
pub struct ConsumerMetrics {
    handle: Histogram,
    delay: Histogram,
}

impl ConsumerMetrics {
    /// A message has come for the first time, so long after it was decided.
    pub fn delivered(&self, delay: Duration) {
        self.delay.observe(delay.as_secs_f64());
    }

    /// A delivery was handled within this time.
    pub fn handled(&self, after: Duration) {
        self.handle.observe(after.as_secs_f64());
    }
}
