//! The usual ways to reserve: each order in a transaction of its own.

use super::tally::Tally;
use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::str::FromStr;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How often a reservation is tried under another version before it is given up.
const RETRIES_MAX: u32 = 50;

/// Their tables, and sessions on them.
pub struct Seeds {
    options: PgConnectOptions,
    reserved: std::sync::Mutex<u64>,
}

/// What a client does until the end.
#[derive(Clone, Copy)]
enum Way {
    ForUpdate,
    Optimistic,
}

impl Seeds {
    /// Makes the tables in a schema, which exists, with so many units of one product.
    pub async fn make(url: &str, schema: &str, units: i64) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(url)?.options([("search_path", schema)]);
        let mut database = PgConnection::connect_with(&options).await?;
        let tables = format!(
            "CREATE TABLE seed_stock (
                 product_id text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0),
                 reserved bigint NOT NULL, version bigint NOT NULL
             ) WITH (fillfactor = 50);
             CREATE TABLE seed_reservations (
                 order_id uuid PRIMARY KEY, product_id text NOT NULL, quantity integer NOT NULL,
                 status text NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
             );
             INSERT INTO seed_stock VALUES ('hot', {units}, 0, 1)"
        );
        sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut database).await?;
        database.close().await?;
        Ok(Self { options, reserved: std::sync::Mutex::new(0) })
    }

    /// Locks the stock row, looks, writes.
    pub async fn for_update(&self, clients: usize, time: Duration) -> anyhow::Result<Tally> {
        self.reserve(Way::ForUpdate, clients, time).await
    }

    /// Looks, and writes if nobody else has meanwhile; otherwise again.
    pub async fn optimistic(&self, clients: usize, time: Duration) -> anyhow::Result<Tally> {
        self.reserve(Way::Optimistic, clients, time).await
    }

    /// What is wrong with the tables, if not as many units are reserved as there are reservations.
    pub async fn check(&self, more: u64) -> anyhow::Result<Option<String>> {
        let due = {
            let mut reserved =
                self.reserved.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *reserved += more;
            *reserved
        };
        let mut database = PgConnection::connect_with(&self.options).await?;
        let asked = "SELECT reserved, (SELECT count(*) FROM seed_reservations) FROM seed_stock";
        let row = sqlx::query(asked).fetch_one(&mut database).await?;
        let (units, rows): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let balances = units == rows && i64::try_from(due) == Ok(rows);
        Ok((!balances).then(|| {
            format!("baselines: {due} reservations requested, {rows} rows, {units} units")
        }))
    }

    async fn reserve(&self, way: Way, clients: usize, time: Duration) -> anyhow::Result<Tally> {
        let pool =
            PgPoolOptions::new().max_connections(clients as u32).min_connections(clients as u32);
        let pool: PgPool =
            pool.connect_with(self.options.clone()).await.context("a session for each client")?;
        let mut sessions = Vec::with_capacity(clients);
        for _ in 0..clients {
            sessions.push(pool.acquire().await?.detach());
        }
        let began = Instant::now();
        let until = began + time;
        let client = |session| client(session, way, until);
        Tally::of(sessions.into_iter().map(client), began).await
    }
}

async fn client(mut session: PgConnection, way: Way, until: Instant) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    while Instant::now() < until {
        match way {
            Way::ForUpdate => {
                for_update(&mut session).await?;
                tally.reserved += 1;
            }
            Way::Optimistic => {
                let (mut tries, mut first) = (0, optimistic(&mut session).await?);
                while !first && tries < RETRIES_MAX {
                    tries += 1;
                    first = optimistic(&mut session).await?;
                }
                tally.retries += u64::from(tries);
                tally.given_up += u64::from(!first);
                tally.reserved += u64::from(first);
            }
        }
    }
    session.close().await?;
    Ok(tally)
}

async fn for_update(session: &mut PgConnection) -> anyhow::Result<()> {
    let mut transaction = session.begin().await?;
    let asked = "SELECT available FROM seed_stock WHERE product_id = 'hot' FOR UPDATE";
    let available: i64 = sqlx::query_scalar(asked).fetch_one(&mut *transaction).await?;
    anyhow::ensure!(available > 0, "sold out");
    insert(&mut transaction).await?;
    let update = "UPDATE seed_stock SET available = available - 1, reserved = reserved + 1,
                  version = version + 1 WHERE product_id = 'hot'";
    sqlx::query(update).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// False: somebody else was first.
async fn optimistic(session: &mut PgConnection) -> anyhow::Result<bool> {
    let asked = "SELECT available, version FROM seed_stock WHERE product_id = 'hot'";
    let row = sqlx::query(asked).fetch_one(&mut *session).await?;
    let (available, version): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    anyhow::ensure!(available > 0, "sold out");
    let mut transaction = session.begin().await?;
    let update = "UPDATE seed_stock SET available = available - 1, reserved = reserved + 1,
                  version = version + 1 WHERE product_id = 'hot' AND version = $1";
    let met = sqlx::query(update).bind(version).execute(&mut *transaction).await?.rows_affected();
    if met == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    insert(&mut transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

#[expect(clippy::disallowed_methods, reason = "orders of nobody; nothing is decided by their ids")]
async fn insert(session: &mut PgConnection) -> anyhow::Result<()> {
    let insert = "INSERT INTO seed_reservations (order_id, product_id, quantity, status)
                  VALUES ($1, 'hot', 1, 'RESERVED')";
    sqlx::query(insert).bind(Uuid::now_v7()).execute(session).await?;
    Ok(())
}
