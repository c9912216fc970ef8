//! A service that only keeps notes: the transaction around it is what is tested.

use async_trait::async_trait;
use ordermill_contract::batches;
use ordermill_contract::values::at;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::service::{Batch, BatchDecision, Outcome, Service};
use ordermill_sqlite::{DataDir, Database, Error, Script, Tables};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

/// Writes its changes into a table, and answers how many were there before.
pub struct Notes;

impl Service for Notes {
    const NAME: ServiceName = ServiceName::Audit;
    type Change = i64;
    type Keys = ();
    type Rows = usize;
    type Writes = Vec<i64>;
    type Answer = usize;

    fn keys(_: &[i64]) {}

    fn decide_batch(
        &self,
        rows: usize,
        changes: &[i64],
        _: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        BatchDecision {
            writes: changes.to_vec(),
            outcomes: changes.iter().map(|_| Outcome::Done(rows)).collect(),
            messages: Vec::new(),
        }
    }
}

#[async_trait]
impl Tables for Notes {
    async fn load(conn: &mut SqliteConnection, (): &()) -> Result<usize, Error> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(conn).await?;
        Ok(count as usize)
    }

    fn write(script: &mut Script, writes: &Vec<i64>, _: Timestamp) -> Result<(), Error> {
        let notes = format!("{writes:?}");
        script.add("INSERT INTO notes (note) SELECT value FROM json_each(?)").with(notes)?;
        Ok(())
    }
}

/// The table. A note below zero is refused.
pub const TABLE: (i64, &str) =
    (301, "CREATE TABLE notes (note INTEGER PRIMARY KEY CHECK (note >= 0)) STRICT;");

pub fn migrations(statements: &[(i64, &'static str)]) -> Migrator {
    let migration = |(version, sql): &(i64, &'static str)| {
        let sql = (*sql).into_sql_str();
        Migration::new(*version, "notes".into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(statements.iter().map(migration).collect())
}

pub async fn open(directory: &DataDir) -> Database {
    Database::open(directory, "notes", &migrations(&[TABLE])).await.unwrap()
}

pub fn batch(notes: impl IntoIterator<Item = i64>) -> Batch<Notes> {
    batches::batch(Notes, notes.into_iter().collect(), at(0))
}
