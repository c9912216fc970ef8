//! The notification service's table: one entry for each order and topic.

mod read;
mod unread;
mod write;

pub use read::NotificationDatabase;

use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{Keys, NotificationId, NotificationService, Rows, Writes};
use ordermill_rows::notification::id;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};

/// The service's schema.
pub const SCHEMA: &str = "notification";

/// The notification service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/notification");

#[async_trait]
impl Tables for NotificationService {
    async fn load(conn: &mut PgConnection, keys: &Keys) -> Result<Rows, Error> {
        let entries = entries(conn, &keys.entries).await?;
        let mut pages = BTreeMap::new();
        // Marking everything is a rare wish: a statement for each.
        for page in &keys.pages {
            pages.insert(page.clone(), unread::page(conn, page).await?);
        }
        Ok(Rows { entries, pages })
    }

    async fn write(conn: &mut PgConnection, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        write::insert(conn, &writes.inserts).await?;
        write::mark(conn, &writes.marks).await
    }
}

/// Which of these entries there are, locked, and whether they are read.
async fn entries(
    conn: &mut PgConnection,
    ids: &BTreeSet<NotificationId>,
) -> Result<BTreeMap<NotificationId, bool>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let orders: Vec<_> = ids.iter().map(|id| id.order_id.0).collect();
    let topics: Vec<_> = ids.iter().map(|id| i16::from(id.topic.number())).collect();
    let rows = sqlx::query!(
        "SELECT n.order_id, n.topic, n.is_read
         FROM UNNEST($1::uuid[], $2::smallint[]) AS k (order_id, topic)
         JOIN notifications AS n ON n.order_id = k.order_id AND n.topic = k.topic
         ORDER BY n.order_id, n.topic FOR UPDATE OF n",
        &orders,
        &topics
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((id(row.order_id, row.topic.into())?, row.is_read))).collect()
}
