//! Mark read: the customer has seen an entry, or wants to see it again.

use super::change::Answer;
use super::entry::NotificationId;
use super::settle::Desk;
use crate::runtime::expected::Expected;

/// Decides a mark; one that is set already is set again by writing nothing.
pub(super) fn mark_read(
    desk: &mut Desk,
    id: NotificationId,
    is_read: bool,
    expected: &Expected<bool>,
) -> Answer {
    match desk.is_read(&id) {
        None => Answer::NotFound,
        Some(was) if !expected.admits(&was) => Answer::Stale { is_read: was },
        Some(was) => {
            if was != is_read {
                desk.mark(id, is_read);
            }
            Answer::Marked
        }
    }
}
