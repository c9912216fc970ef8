//! Decides a batch: each change in turn, on the entries as the changes before it leave them.

use super::change::{Change, NotificationAnswer, Rows, Writes};
use super::entry_batch::EntryBatch;
use super::policy::NotificationPolicy;
use super::{mark_all_read, mark_read, notify};
use crate::clock::Timestamp;
use crate::service::{BatchDecision, Outcome};
use std::collections::BTreeMap;

/// Decides a batch. Nothing is ever refused: what is decided here is decided on the locked rows.
pub(super) fn decide_batch(
    policy: NotificationPolicy,
    rows: Rows,
    changes: &[Change],
    at: Timestamp,
) -> BatchDecision<NotificationAnswer, Writes> {
    let mut batch =
        EntryBatch { rows, inserts: BTreeMap::new(), marks: BTreeMap::new(), messages: Vec::new() };
    let mut decide = |change: &Change| -> NotificationAnswer {
        match change {
            Change::Notify(events) => notify::notify(&mut batch, policy, events, at),
            Change::MarkRead { id, is_read, expected } => {
                mark_read::mark_read(&mut batch, *id, *is_read, expected)
            }
            Change::MarkAllRead(page) => mark_all_read::mark_all_read(&mut batch, page),
        }
    };
    let outcomes = changes.iter().map(|change| Outcome::Done(decide(change))).collect();
    let EntryBatch { rows: _, inserts, marks, messages } = batch;
    let writes =
        Writes { inserts: inserts.into_values().collect(), marks: marks.into_iter().collect() };
    BatchDecision { writes, outcomes, messages }
}
