//! What PostgreSQL has written: its own statistics, before and after.

use anyhow::Context;
use serde::Serialize;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};
use std::collections::BTreeMap;
use std::ops::Sub;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A session reports what it has done when it rests, at the latest after so long
/// (`PGSTAT_IDLE_INTERVAL` of PostgreSQL, 10 s, and a second for the report).
const REPORTED_AFTER: Duration = Duration::from_secs(11);

/// How long a server may take to accept a session.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Rows that were written to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Inserted.
    pub inserted: i64,
    /// Updated.
    pub updated: i64,
    /// Deleted.
    pub deleted: i64,
}

impl Rows {
    /// All of them.
    pub fn total(self) -> i64 {
        self.inserted + self.updated + self.deleted
    }
}

impl Sub for Rows {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            inserted: self.inserted - earlier.inserted,
            updated: self.updated - earlier.updated,
            deleted: self.deleted - earlier.deleted,
        }
    }
}

/// What a database has written since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Bytes of write-ahead log, of the whole server.
    pub wal_bytes: i64,
    /// Transactions that were committed in this database; those that only read, too.
    pub commits: i64,
    /// By table.
    pub tables: BTreeMap<String, Rows>,
}

impl Written {
    /// What was written since.
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |table: &str| earlier.tables.get(table).copied().unwrap_or_default();
        let tables = self.tables.iter().map(|(name, rows)| (name.clone(), *rows - before(name)));
        Self {
            wal_bytes: self.wal_bytes - earlier.wal_bytes,
            commits: self.commits - earlier.commits,
            tables: tables.filter(|(_, rows)| rows.total() != 0).collect(),
        }
    }

    /// Rows of all tables.
    pub fn rows(&self) -> i64 {
        self.tables.values().map(|rows| rows.total()).sum()
    }
}

/// The position in the write-ahead log.
pub async fn wal(url: &str) -> anyhow::Result<i64> {
    let mut database = connect(url).await?;
    let asked = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint";
    Ok(sqlx::query_scalar(asked).fetch_one(&mut database).await?)
}

/// Everything, once all sessions have reported what they did before this call.
pub async fn written(url: &str) -> anyhow::Result<Written> {
    // Taken first: what follows in the log is nobody's order.
    let wal_bytes = wal(url).await?;
    sleep(REPORTED_AFTER).await;
    let mut database = connect(url).await?;
    let commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    let commits = sqlx::query_scalar(commits).fetch_one(&mut database).await?;
    let tables = "SELECT schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del
                  FROM pg_stat_user_tables";
    let tables = sqlx::query(tables).fetch_all(&mut database).await?;
    let row = |row: &PgRow| -> Result<(String, Rows), sqlx::Error> {
        let [inserted, updated, deleted] = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
        Ok((row.try_get(0)?, Rows { inserted, updated, deleted }))
    };
    let tables = tables.iter().map(row).collect::<Result<_, _>>()?;
    database.close().await?;
    Ok(Written { wal_bytes, commits, tables })
}

/// A session, or an error within some seconds: a server may accept a connection and never answer.
pub async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let connected = timeout(CONNECT_LIMIT, PgConnection::connect(url)).await;
    let within = || format!("PostgreSQL (DATABASE_URL) did not respond within {CONNECT_LIMIT:?}");
    connected.with_context(within)?.context("connecting to PostgreSQL (DATABASE_URL) failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_rows_are_the_difference_of_two_readings() {
        let rows = |inserted, deleted| Rows { inserted, updated: 0, deleted };
        let written = |wal_bytes, commits, tables: &[(&str, Rows)]| Written {
            wal_bytes,
            commits,
            tables: tables.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect(),
        };
        let before = written(100, 3, &[("a", rows(5, 1)), ("same", rows(2, 2))]);
        let after =
            written(150, 7, &[("a", rows(9, 2)), ("new", rows(1, 0)), ("same", rows(2, 2))]);
        let since = after.since(&before);
        assert_eq!(since, written(50, 4, &[("a", rows(4, 1)), ("new", rows(1, 0))]));
        assert_eq!(since.rows(), 6);
    }
}
