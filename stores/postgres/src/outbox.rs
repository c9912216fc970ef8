//! The outbox table, the same in every service's schema.

mod adopt;

use crate::columns::{column, time};
use crate::database::Database;
use crate::dead_letters;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::ports::{Outbox, ReadError};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{Parking, Redrive};
use ordermill_rows::count;
use ordermill_rows::outbox::{StoredOutboxRow, readable};
use sqlx::PgConnection;
use uuid::Uuid;

/// Adds the rows of a batch.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    owner: i64,
    rows: &[OutboxRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO outbox (id, owner, content, tries)
         SELECT v.id, $1, v.content, v.tries
         FROM UNNEST($2::uuid[], $3::text[], $4::bigint[]) AS v (id, content, tries)",
        owner,
        &column(rows, |row| row.id),
        &column(rows, OutboxRow::to_json),
        &column(rows, |row| i64::from(row.tries))
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes rows whose messages are all confirmed, whoever's they are now. Those that are gone already
/// are no error.
pub(crate) async fn forget(conn: &mut PgConnection, rows: &[Uuid]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!("DELETE FROM outbox WHERE id = ANY($1)", rows).execute(conn).await?;
    Ok(())
}

/// Rewrites rows to what is left of them, whoever's they are now. Rare, so one by one.
pub(crate) async fn park(conn: &mut PgConnection, rows: &[Parking]) -> Result<(), Error> {
    for Parking { row, until } in rows {
        sqlx::query!(
            "UPDATE outbox SET content = $2, tries = $3, parked_until = $4 WHERE id = $1",
            row.id,
            row.to_json(),
            i64::from(row.tries),
            time(*until)
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Brings dead letters to their queues again: each is deleted, and the row that carries it is due at
/// once. A letter that is gone was taken up before, and nothing is done. Rare, so one by one.
pub(crate) async fn redrive(
    conn: &mut PgConnection,
    owner: i64,
    redrives: &[Redrive],
    at: Timestamp,
) -> Result<(), Error> {
    for Redrive { letter, row } in redrives {
        if !dead_letters::delete(conn, *letter).await? {
            continue;
        }
        sqlx::query!(
            "INSERT INTO outbox (id, owner, content, tries, parked_until)
             VALUES ($1, $2, $3, $4, $5)",
            row.id,
            owner,
            row.to_json(),
            i64::from(row.tries),
            time(at)
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

#[async_trait]
impl Outbox for Database {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let (owner, after) = (self.owner(), after.unwrap_or(Uuid::nil()));
        let query = sqlx::query_as!(
            StoredOutboxRow,
            "SELECT id, content, tries FROM outbox
             WHERE owner = $1 AND id > $2 AND parked_until IS NULL ORDER BY id LIMIT $3",
            owner,
            after,
            i64::from(limit)
        );
        Ok(readable(self.rows(query, Ok).await?))
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let owner = self.owner();
        let query = sqlx::query_as!(
            StoredOutboxRow,
            "SELECT id, content, tries FROM outbox
             WHERE owner = $1 AND parked_until <= $2 ORDER BY parked_until, id LIMIT $3",
            owner,
            time(now),
            i64::from(limit)
        );
        Ok(readable(self.rows(query, Ok).await?))
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        let parked = sqlx::query_scalar!(
            r#"SELECT count(*) AS "parked!" FROM outbox WHERE parked_until IS NOT NULL"#
        );
        self.read(|pool| async move { Ok(count(parked.fetch_one(&pool).await?)?) }).await
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        let query = sqlx::query!(r#"SELECT clock_timestamp() AS "now!""#);
        self.row(query, |row| Ok(row.now)).await
    }

    async fn adopt(&self, limit: u32) -> Result<u64, ReadError> {
        adopt::adopt(self, limit).await
    }
}
