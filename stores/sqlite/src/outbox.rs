//! The outbox table, the same in every service's file.

use crate::columns::{ids, micros};
use crate::database::Database;
use crate::dead_letters;
use crate::error::Error;
use crate::script::{Script, statement};
use async_trait::async_trait;
use ordermill_actors::ports::{Outbox, ReadError};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{Parking, Redrive};
use ordermill_rows::count;
use ordermill_rows::outbox::{StoredOutboxRow, readable};
use sqlx::SqliteConnection;
use uuid::Uuid;

/// Adds the rows of a batch. They are few (one for 64 messages), and each is a long text that a
/// JSON parameter would only have escaped and parsed again: so each is bound by itself.
pub(crate) fn insert(script: &mut Script, rows: &[OutboxRow]) -> Result<(), Error> {
    for row in rows {
        let (content, tries) = (row.to_json(), i64::from(row.tries));
        statement!(
            script,
            "INSERT INTO outbox (id, content, tries) VALUES (?, ?, ?)",
            row.id,
            content,
            tries
        );
    }
    Ok(())
}

/// Deletes rows whose messages are all confirmed. Those that are gone already are no error.
pub(crate) fn forget(script: &mut Script, rows: &[Uuid]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids = ids(rows.iter().copied());
    statement!(
        script,
        "DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?))",
        ids
    );
    Ok(())
}

/// Rewrites rows to what is left of them. Rare, so one by one.
pub(crate) fn park(script: &mut Script, rows: &[Parking]) -> Result<(), Error> {
    for Parking { row, until } in rows {
        let (content, tries, until) = (row.to_json(), i64::from(row.tries), micros(*until));
        statement!(
            script,
            "UPDATE outbox SET content = ?, tries = ?, parked_until = ? WHERE id = ?",
            content,
            tries,
            until,
            row.id
        );
    }
    Ok(())
}

/// Brings dead letters to their queues again: each is deleted, and the row that carries it is due at
/// once. A letter that is gone was taken up before, and nothing is done. Rare, so one by one.
pub(crate) async fn redrive(
    conn: &mut SqliteConnection,
    redrives: &[Redrive],
    at: Timestamp,
) -> Result<(), Error> {
    let at = micros(at);
    for Redrive { letter, row } in redrives {
        if !dead_letters::delete(conn, *letter).await? {
            continue;
        }
        let (content, tries) = (row.to_json(), i64::from(row.tries));
        sqlx::query!(
            "INSERT INTO outbox (id, content, tries, parked_until) VALUES (?1, ?2, ?3, ?4)",
            row.id,
            content,
            tries,
            at
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

#[async_trait]
impl Outbox for Database {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let after = after.unwrap_or(Uuid::nil());
        let query = sqlx::query_as!(
            StoredOutboxRow,
            r#"SELECT id AS "id: Uuid", content, tries FROM outbox
               WHERE id > ?1 AND parked_until IS NULL ORDER BY id LIMIT ?2"#,
            after,
            limit
        );
        Ok(readable(self.rows(query, Ok).await?))
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let now = micros(now);
        let query = sqlx::query_as!(
            StoredOutboxRow,
            r#"SELECT id AS "id: Uuid", content, tries FROM outbox
               WHERE parked_until <= ?1 ORDER BY parked_until, id LIMIT ?2"#,
            now,
            limit
        );
        Ok(readable(self.rows(query, Ok).await?))
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        let parked =
            sqlx::query_scalar!("SELECT count(*) FROM outbox WHERE parked_until IS NOT NULL");
        self.read(|pool| async move { Ok(count(parked.fetch_one(&pool).await?)?) }).await
    }

    async fn adopt(&self, _limit: u32) -> Result<u64, ReadError> {
        // A data directory has one process at a time: every row in it is this one's.
        Ok(0)
    }
}
