//! What was last read of databases, the broker and the tree of actors.

use super::page::Page;
use ordermill_actors::ports::Depth;
use ordermill_actors::runtime::tree::Totals;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::order::{SagaCount, SagaStatus};
use ordermill_domain::payment::Attention;
use ordermill_domain::service::DeadLetterCount;
use std::collections::BTreeMap;

/// A value and when it was read; none while its source does not answer.
#[derive(Debug)]
pub struct Sample<T> {
    value: Option<T>,
    read_at: Option<Timestamp>,
}

impl<T> Default for Sample<T> {
    fn default() -> Self {
        Self { value: None, read_at: None }
    }
}

impl<T> Sample<T> {
    /// Takes the answer of a source. None: it did not answer.
    pub fn take(&mut self, value: Option<T>, now: Timestamp) {
        if value.is_some() {
            self.read_at = Some(now);
        }
        self.value = value;
    }
}

/// What was last read.
#[derive(Debug, Default)]
pub struct Samples {
    /// How full the queues are.
    pub queues: Sample<Vec<Depth>>,
    /// Sagas by status.
    pub sagas: Sample<Vec<SagaCount>>,
    /// Payments that wait for a person.
    pub payments: Sample<Vec<(Attention, u64)>>,
    /// Dead letters by service.
    pub dead_letters: BTreeMap<ServiceName, Sample<Vec<DeadLetterCount>>>,
    /// Parked outbox rows by service.
    pub parked: BTreeMap<ServiceName, Sample<u64>>,
    /// How far databases' clocks are ahead, by service.
    pub skew: BTreeMap<ServiceName, Sample<f64>>,
    /// The actors.
    pub actors: Sample<Totals>,
    /// Restarts of actors by kind.
    pub restarts: BTreeMap<&'static str, u64>,
}

/// Seconds from one moment to another; 0 where clocks differ.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

impl Samples {
    /// Writes what there is.
    pub fn write(&self, now: Timestamp, page: &mut Page) {
        self.write_queues(page);
        self.write_sagas(now, page);
        self.write_dead_letters(now, page);
        let help = "Payments that wait for a person, by the reason; global: take max";
        let family = page.gauge("ordermill_payments_attention", help);
        if let Some(counts) = &self.payments.value {
            for &reason in Attention::ALL {
                let count = counts.iter().find(|(known, _)| *known == reason);
                family.set([("reason", reason.as_str())], count.map_or(0, |(_, n)| *n) as f64);
            }
        }
        self.write_skew(page);
        self.write_actors(page);
        self.write_read_at(page);
    }

    fn write_queues(&self, page: &mut Page) {
        let depths = || self.queues.value.iter().flatten();
        let help = "Deliveries that wait in the queue; global: take max";
        let family = page.gauge("ordermill_queue_messages_ready", help);
        for depth in depths() {
            family.set([("queue", depth.queue.as_str())], depth.ready as f64);
        }
        let help = "Consumers of the queue, of all processes; global: take max";
        let family = page.gauge("ordermill_queue_consumers", help);
        for depth in depths() {
            family.set([("queue", depth.queue.as_str())], depth.consumers as f64);
        }
    }

    fn write_sagas(&self, now: Timestamp, page: &mut Page) {
        let Some(counts) = &self.sagas.value else { return };
        let help = "Sagas that are neither completed nor compensated, by status; global: take max";
        let family = page.gauge("ordermill_sagas", help);
        let done = [SagaStatus::Completed, SagaStatus::Compensated];
        for &status in SagaStatus::ALL.iter().filter(|status| !done.contains(status)) {
            let count = counts.iter().find(|count| count.status == status);
            family.set([("status", status.as_str())], count.map_or(0, |count| count.sagas) as f64);
        }
        let help =
            "Age of the oldest of these sagas, by status; absent: there is none; global: take max";
        let family = page.gauge("ordermill_saga_oldest_seconds", help);
        for count in counts {
            let age = count.oldest.placed_at().map_or(0.0, |placed| seconds(placed, now));
            family.set([("status", count.status.as_str())], age);
        }
        let help = "Sagas past the time at which they are taken up again: near 0 while any process does; global: take max";
        let overdue: u64 = counts.iter().map(|count| count.overdue).sum();
        page.gauge("ordermill_sagas_overdue", help).set([], overdue as f64);
    }

    fn write_dead_letters(&self, now: Timestamp, page: &mut Page) {
        let known = || {
            let known = self.dead_letters.iter();
            known.filter_map(|(service, sample)| Some((service, sample.value.as_ref()?)))
        };
        let help = "Dead letters that there are; global: take max";
        let family = page.gauge("ordermill_dead_letters", help);
        for (service, counts) in known() {
            let queues = ordermill_domain::messages::Queue::ALL.iter();
            for queue in queues.filter(|queue| queue.service() == *service) {
                let count = counts.iter().find(|count| count.queue == *queue);
                let labels = [("service", service.as_str()), ("queue", queue.as_str())];
                family.set(labels, count.map_or(0, |count| count.letters) as f64);
            }
        }
        let help = "Age of the oldest dead letter; absent: there is none; global: take max";
        let family = page.gauge("ordermill_dead_letters_oldest_seconds", help);
        for (service, counts) in known() {
            if let Some(oldest) = counts.iter().map(|count| count.oldest).min() {
                family.set([("service", service.as_str())], seconds(oldest, now));
            }
        }
        let help = "Outbox rows that wait for a later try; global: take max";
        let family = page.gauge("ordermill_outbox_parked_rows", help);
        for (service, sample) in &self.parked {
            if let Some(rows) = sample.value {
                family.set([("service", service.as_str())], rows as f64);
            }
        }
    }

    fn write_skew(&self, page: &mut Page) {
        let help = "The database server's clock less the process's; PostgreSQL only";
        let family = page.gauge("ordermill_database_clock_skew_seconds", help);
        for (service, sample) in &self.skew {
            if let Some(skew) = sample.value {
                family.set([("service", service.as_str())], skew);
            }
        }
    }

    fn write_actors(&self, page: &mut Page) {
        let Some(totals) = &self.actors.value else { return };
        let help = "Actors of the process";
        let family = page.gauge("ordermill_actors", help);
        for (kind, count) in &totals.by_kind {
            family.set([("kind", kind)], *count as f64);
        }
        let help = "Restarts of actors by supervisors, of the process";
        let family = page.counter("ordermill_actor_restarts", help);
        for kind in totals.by_kind.keys() {
            let count = self.restarts.get(kind).copied().unwrap_or_default();
            family.set([("kind", kind)], count as f64);
        }
        let help = "Messages in the mailboxes of actors, of the process";
        let family = page.gauge("ordermill_actor_mailbox_messages", help);
        for (kind, count) in &totals.mailboxes {
            family.set([("kind", kind)], *count as f64);
        }
        let help = "Actors left alone until an operator releases them, of the process";
        let family = page.gauge("ordermill_actors_quarantined", help);
        for (kind, count) in &totals.quarantined {
            family.set([("kind", kind)], *count as f64);
        }
    }

    fn write_read_at(&self, page: &mut Page) {
        let of = |read_at: Option<Timestamp>, source: &str| Some((source.to_owned(), read_at?));
        let single = [
            of(self.queues.read_at, "queues"),
            of(self.sagas.read_at, "sagas"),
            of(self.payments.read_at, "payments"),
            of(self.actors.read_at, "actors"),
        ];
        let letters = self.dead_letters.iter().map(|(service, sample)| {
            of(sample.read_at, &format!("dead_letters_{}", service.as_str()))
        });
        let help = "When a source of gauges last answered, in seconds since 1970; of the process";
        let family = page.gauge("ordermill_metrics_read_timestamp_seconds", help);
        for (source, read_at) in single.into_iter().chain(letters).flatten() {
            family.set([("source", &source)], read_at.timestamp_micros() as f64 / 1e6);
        }
    }
}
