//! Mark all read: everything of a customer, of an order, or of the shop, a page at a time.

use super::change::{NotificationAnswer, UNREAD_PAGE, UnreadPage};
use super::entry_batch::EntryBatch;

/// Decides a page: what is unread in it, and what the batch itself has just added to its scope.
pub(super) fn mark_all_read(batch: &mut EntryBatch, page: &UnreadPage) -> NotificationAnswer {
    let listed = batch.rows.pages.get(page).cloned().unwrap_or_default();
    let next = listed.last().copied().filter(|_| listed.len() >= UNREAD_PAGE);
    let added = batch.inserts.values().filter(|entry| page.scope.covers(entry)).map(|new| new.id);
    let unread: Vec<_> =
        listed.into_iter().chain(added).filter(|id| batch.is_read(id) == Some(false)).collect();
    let count = unread.len() as u64;
    unread.into_iter().for_each(|id| batch.mark(id, true));
    NotificationAnswer::MarkedAll { count, next }
}
