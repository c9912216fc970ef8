//! Rows of the outbox.

use crate::columns::count;
use crate::error::{Corrupt, corrupt};
use ordermill_domain::outbox::OutboxRow;
use uuid::Uuid;

/// A row of `outbox`, as it is read.
pub struct StoredOutboxRow {
    pub id: Uuid,
    pub content: String,
    pub tries: i64,
}

impl StoredOutboxRow {
    fn row(&self) -> Result<OutboxRow, Corrupt> {
        OutboxRow::from_json(self.id, count(self.tries)?, &self.content)
            .map_err(corrupt("outbox row"))
    }
}

/// The rows that can be read. One that cannot is logged and stays in its table until a person corrects it; it does not
/// delay the others.
pub fn readable(stored: Vec<StoredOutboxRow>) -> Vec<OutboxRow> {
    let read = |stored: StoredOutboxRow| {
        let id = stored.id;
        let log = |error: &Corrupt| {
            tracing::error!(%id, %error, "unreadable outbox row; not published");
        };
        stored.row().inspect_err(log).ok()
    };
    stored.into_iter().filter_map(read).collect()
}
