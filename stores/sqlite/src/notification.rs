//! The notification service's table: one entry for each order and topic.

mod read;
mod unread;
mod write;

pub use read::NotificationDatabase;

use crate::error::Error;
use crate::script::Script;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{Keys, NotificationId, NotificationService, Rows, Writes};
use ordermill_rows::notification::id;
use ordermill_rows::to_json;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The notification service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/notification");

#[async_trait]
impl Tables for NotificationService {
    async fn load(conn: &mut SqliteConnection, keys: &Keys) -> Result<Rows, Error> {
        let entries = entries(conn, &keys.entries).await?;
        let mut pages = BTreeMap::new();
        // Marking everything is a rare wish: a statement for each.
        for page in &keys.pages {
            pages.insert(page.clone(), unread::page(conn, page).await?);
        }
        Ok(Rows { entries, pages })
    }

    fn write(script: &mut Script, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        write::insert(script, &writes.inserts)?;
        write::mark(script, &writes.marks)
    }
}

/// Which of these entries there are, and whether they are read.
async fn entries(
    conn: &mut SqliteConnection,
    ids: &BTreeSet<NotificationId>,
) -> Result<BTreeMap<NotificationId, bool>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<_> = ids.iter().map(|id| (id.order_id, id.topic.number())).collect();
    let keys = to_json("keys of notifications", &keys)?;
    // CROSS JOIN: SQLite's word for taking the keys one by one, each to its row.
    let rows = sqlx::query!(
        r#"SELECT n.order_id AS "order_id: Uuid", n.topic AS "topic!", n.is_read AS "is_read: bool"
           FROM jsonb_each(?1) AS k CROSS JOIN notifications AS n
           WHERE n.order_id = unhex(k.value ->> 0, '-') AND n.topic = k.value ->> 1"#,
        keys
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((id(row.order_id, row.topic)?, row.is_read))).collect()
}
