//! The batch that gathers while a transaction is under way, and how long it goes on gathering afterwards.
//!
//! A transaction costs what it costs, whether one change is in it or thirty: under half a load the
//! journals would otherwise spend both cores on transactions of a few changes each. So the next one waits
//! until as many have come as the last one had, or for [`Service::GATHER`] since that one began. Who comes
//! alone after one that came alone does not wait, nor do clients who all wait for their answers: they come
//! back as many as they were.

use super::message::{StoredCallback, Submission};
use ordermill_domain::service::{OutboxMaintenance, Service};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The changes that wait for the next transaction.
pub struct PendingBatch<S: Service> {
    pub(super) waiting: VecDeque<Submission<S>>,
    pub(super) maintenance: OutboxMaintenance,
    pub(super) stored: Vec<StoredCallback>,
    pub(super) committing: bool,
    pub(super) flush_planned: bool,
    pub(super) rest_planned: bool,
    /// When the last transaction began, and how many changes it had.
    last: Option<(Instant, usize)>,
}

impl<S: Service> Default for PendingBatch<S> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            maintenance: OutboxMaintenance::default(),
            stored: Vec::new(),
            committing: false,
            flush_planned: false,
            rest_planned: false,
            last: None,
        }
    }
}

impl<S: Service> PendingBatch<S> {
    /// True when there is something that does not wait to be written along with something else.
    pub(super) fn is_urgent(&self) -> bool {
        !self.waiting.is_empty()
            || !self.maintenance.park.is_empty()
            || !self.maintenance.dead_letters.is_empty()
            || !self.maintenance.redrive.is_empty()
            || !self.maintenance.discard.is_empty()
    }

    /// A transaction of so many changes begins.
    pub(super) fn begins(&mut self, now: Instant, changes: usize) {
        self.committing = true;
        self.last = Some((now, changes));
    }

    /// How long the next transaction still waits for company.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        match self.last {
            Some((began, changes)) if self.waiting.len() < changes => {
                S::GATHER.saturating_sub(now.duration_since(began))
            }
            Some(_) | None => Duration::ZERO,
        }
    }
}
