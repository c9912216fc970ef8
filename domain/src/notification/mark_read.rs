//! Mark read: the customer has seen an entry, or wants to see it again.

use super::change::NotificationAnswer;
use super::entry::NotificationId;
use super::entry_batch::EntryBatch;
use crate::expected::Expected;

/// Decides a mark; one that is set already is set again by writing nothing.
pub(super) fn mark_read(
    batch: &mut EntryBatch,
    id: NotificationId,
    is_read: bool,
    expected: &Expected<bool>,
) -> NotificationAnswer {
    match batch.is_read(&id) {
        None => NotificationAnswer::NotFound,
        Some(was) if !expected.admits(&was) => NotificationAnswer::Stale { is_read: was },
        Some(was) => {
            if was != is_read {
                batch.mark(id, is_read);
            }
            NotificationAnswer::Marked
        }
    }
}
