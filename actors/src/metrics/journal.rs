//! What is counted of journals.

use super::{Histograms, QueueLabel, ServiceLabel, short};
use ordermill_domain::messages::Queue;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of the changes in a transaction, to the most that one takes.
const CHANGES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

fn changes() -> Histogram {
    Histogram::new(CHANGES.iter().copied())
}

/// How a try of a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitTry {
    /// It is committed.
    Committed,
    /// Another process was at the same rows.
    Contended,
    /// The database did not answer.
    Unavailable,
    /// Nobody knows.
    Unknown,
    /// The database rejects the data.
    Data,
}

impl CommitTry {
    const ALL: [Self; 5] =
        [Self::Committed, Self::Contended, Self::Unavailable, Self::Unknown, Self::Data];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Contended => "contended",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::Data => "data",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TryLabels {
    service: &'static str,
    outcome: &'static str,
}

/// The families of all journals.
#[derive(Clone, Debug)]
pub struct JournalFamilies {
    batch: Histograms<ServiceLabel>,
    commit: Histograms<ServiceLabel>,
    wait: Histograms<ServiceLabel>,
    tries: Family<TryLabels, Counter>,
    refused: Family<ServiceLabel, Counter>,
    split: Family<ServiceLabel, Counter>,
    dead_letters: Family<(ServiceLabel, QueueLabel), Counter>,
}

impl Default for JournalFamilies {
    fn default() -> Self {
        Self {
            batch: Family::new_with_constructor(changes),
            commit: Family::new_with_constructor(short),
            wait: Family::new_with_constructor(short),
            tries: Family::default(),
            refused: Family::default(),
            split: Family::default(),
            dead_letters: Family::default(),
        }
    }
}

impl JournalFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Changes in a transaction of a service's journal";
        registry.register("ordermill_journal_batch_changes", help, self.batch.clone());
        let help = "Duration of a transaction of a journal";
        registry.register("ordermill_journal_commit_seconds", help, self.commit.clone());
        let help = "Time that a change waited for its transaction to begin";
        registry.register("ordermill_journal_wait_seconds", help, self.wait.clone());
        let help = "Transactions tried by the process's journals";
        registry.register("ordermill_journal_commits", help, self.tries.clone());
        let help =
            "Changes refused because their rows had changed meanwhile; they are decided again";
        registry.register("ordermill_journal_changes_refused", help, self.refused.clone());
        let help = "Transactions split to isolate a change that the database rejects";
        registry.register("ordermill_journal_batches_split", help, self.split.clone());
        let help = "Dead letters stored by the process";
        registry.register("ordermill_dead_letters_stored", help, self.dead_letters.clone());
    }

    /// Those of a service's journal.
    pub fn of(&self, service: &'static str) -> JournalMetrics {
        let label = ServiceLabel { service };
        let tries = CommitTry::ALL.map(|outcome| {
            let labels = TryLabels { service, outcome: outcome.as_str() };
            self.tries.get_or_create_owned(&labels)
        });
        JournalMetrics {
            batch: self.batch.get_or_create_owned(&label),
            commit: self.commit.get_or_create_owned(&label),
            wait: self.wait.get_or_create_owned(&label),
            tries,
            refused: self.refused.get_or_create_owned(&label),
            split: self.split.get_or_create_owned(&label),
            service: label,
            dead_letters: self.dead_letters.clone(),
        }
    }
}

/// What is counted of one journal.
#[derive(Clone, Debug)]
pub struct JournalMetrics {
    batch: Histogram,
    commit: Histogram,
    wait: Histogram,
    tries: [Counter; CommitTry::ALL.len()],
    refused: Counter,
    split: Counter,
    service: ServiceLabel,
    dead_letters: Family<(ServiceLabel, QueueLabel), Counter>,
}

impl JournalMetrics {
    /// A transaction begins with changes that have waited so long each.
    pub fn begins(&self, waits: impl ExactSizeIterator<Item = Duration>) {
        // A transaction may be of maintenance alone.
        if waits.len() > 0 {
            self.batch.observe(waits.len() as f64);
        }
        for wait in waits {
            self.wait.observe(wait.as_secs_f64());
        }
    }

    /// A try has ended after this time.
    pub fn tried(&self, outcome: CommitTry, after: Duration) {
        self.tries[outcome as usize].inc();
        if outcome == CommitTry::Committed {
            self.commit.observe(after.as_secs_f64());
        }
    }

    /// A change was refused.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// A batch was split.
    pub fn split(&self) {
        self.split.inc();
    }

    /// A dead letter of this queue is stored.
    pub fn dead_letter(&self, queue: Queue) {
        let labels = (self.service.clone(), QueueLabel { queue: queue.as_str() });
        self.dead_letters.get_or_create(&labels).inc();
    }
}
