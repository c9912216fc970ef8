//! What is counted of outboxes.

use super::{Histograms, ServiceLabel, short};
use crate::ports::PublishOutcome;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

const OUTCOMES: [&str; 4] = ["taken", "unroutable", "deferred", "lost"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    service: &'static str,
    outcome: &'static str,
}

/// The families of all outboxes.
#[derive(Clone, Debug)]
pub struct OutboxFamilies {
    published: Family<OutcomeLabels, Counter>,
    confirm: Histograms<ServiceLabel>,
    adopted: Family<ServiceLabel, Counter>,
}

impl Default for OutboxFamilies {
    fn default() -> Self {
        let confirm = Family::new_with_constructor(short as fn() -> Histogram);
        Self { published: Family::default(), confirm, adopted: Family::default() }
    }
}

impl OutboxFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Messages published by the process, by what the broker made of them";
        registry.register("ordermill_outbox_published", help, self.published.clone());
        let help = "Time from the publish of an outbox row to its last confirm";
        registry.register("ordermill_outbox_confirm_seconds", help, self.confirm.clone());
        let help = "Outbox rows taken over from terminated processes";
        registry.register("ordermill_outbox_adopted_rows", help, self.adopted.clone());
    }

    /// Those of a service's outbox.
    pub fn of(&self, service: &'static str) -> OutboxMetrics {
        let label = ServiceLabel { service };
        let published = OUTCOMES
            .map(|outcome| self.published.get_or_create_owned(&OutcomeLabels { service, outcome }));
        OutboxMetrics {
            published,
            confirm: self.confirm.get_or_create_owned(&label),
            adopted: self.adopted.get_or_create_owned(&label),
        }
    }
}

/// What is counted of one outbox.
#[derive(Clone, Debug)]
pub struct OutboxMetrics {
    published: [Counter; OUTCOMES.len()],
    confirm: Histogram,
    adopted: Counter,
}

impl OutboxMetrics {
    /// So many messages came to this.
    pub fn published(&self, outcome: &PublishOutcome, messages: usize) {
        let index = match outcome {
            PublishOutcome::Taken => 0,
            PublishOutcome::Unroutable => 1,
            PublishOutcome::Deferred { .. } => 2,
            PublishOutcome::Lost => 3,
        };
        self.published[index].inc_by(messages as u64);
    }

    /// A row is confirmed, so long after it was published.
    pub fn confirmed(&self, after: Duration) {
        self.confirm.observe(after.as_secs_f64());
    }

    /// Rows are taken over.
    pub fn adopted(&self, rows: u64) {
        self.adopted.inc_by(rows);
    }
}
