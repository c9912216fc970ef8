//! What the databases say: the witnesses that no answer can colour.

use super::place::Place;
use ordermill_actors::registry::DATABASE_NAMES;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest that audit and notification may be behind the orders.
const HEARD_LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether they still are.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// The schema of a service: `order` is a word of SQL's own.
fn schema(service: &str) -> &str {
    if service == "order" { "orders" } else { service }
}

/// The databases of a place. The servers may run meanwhile.
pub enum Databases {
    /// SQLite files in this directory.
    Sqlite(PathBuf),
    /// Schemas of this database.
    Postgres(String),
}

impl Databases {
    /// Those of a place.
    pub fn of(place: &Place) -> Self {
        match place {
            Place::Embedded(_) => Self::Sqlite(place.data()),
            Place::Servers(servers) => Self::Postgres(servers.database_url.clone()),
        }
    }

    /// Waits until nothing has to be said any more, which the last hearers may take a moment for, and
    /// checks that every message found its hearer.
    pub async fn all_messages_were_consumed(&self) {
        for service in DATABASE_NAMES {
            let begun = Instant::now();
            loop {
                let waiting = self.texts(service, "SELECT CAST(content AS TEXT) FROM outbox").await;
                if waiting.is_empty() {
                    break;
                }
                assert!(begun.elapsed() < HEARD_LIMIT, "{service} still has to say: {waiting:#?}");
                tokio::time::sleep(POLL_EVERY).await;
            }
            let dead = self.texts(service, "SELECT queue || ': ' || cause FROM dead_letters").await;
            assert!(dead.is_empty(), "{service} has dead letters: {dead:#?}");
        }
    }

    /// Writes down a migration that no version of today knows, as a version of the future would have done.
    pub async fn claims_a_migration_of_the_future(&self, service: &str) {
        let Self::Postgres(url) = self else { panic!("only on PostgreSQL") };
        let mut database = PgConnection::connect(url).await.unwrap();
        let claim = format!(
            "INSERT INTO {}._sqlx_migrations \
             (version, description, success, checksum, execution_time) \
             VALUES (999999, 'of the future', TRUE, 'x', 0)",
            schema(service),
        );
        sqlx::raw_sql(AssertSqlSafe(claim)).execute(&mut database).await.unwrap();
    }

    /// Has the time of every order that is waited for come already; how many these are.
    pub async fn all_orders_are_due(&self) -> usize {
        let due = "UPDATE sagas SET due_at = updated_at WHERE due_at IS NOT NULL RETURNING status";
        self.texts("order", due).await.len()
    }

    /// Has the database refuse every new row of this table that has this value.
    pub async fn refuses(&self, service: &str, table: &str, column: &str, value: &str) {
        match self {
            Self::Sqlite(data) => {
                let file = data.join(format!("{service}.db"));
                let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
                let mut database = SqliteConnection::connect_with(&options).await.unwrap();
                let trigger = format!(
                    "CREATE TRIGGER refused_by_test BEFORE INSERT ON {table} \
                     WHEN NEW.{column} = '{value}' \
                     BEGIN SELECT RAISE(ABORT, 'refused_by_test'); END"
                );
                sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut database).await.unwrap();
                database.close().await.unwrap();
            }
            Self::Postgres(url) => {
                let mut database = PgConnection::connect(url).await.unwrap();
                let check = format!(
                    "ALTER TABLE {}.{table} \
                     ADD CONSTRAINT refused_by_test CHECK ({column} <> '{value}')",
                    schema(service),
                );
                sqlx::raw_sql(AssertSqlSafe(check)).execute(&mut database).await.unwrap();
            }
        }
    }

    async fn texts(&self, service: &str, query: &str) -> Vec<String> {
        self.rows(service, query).await.into_iter().map(|[text]| text).collect()
    }

    /// Rows of texts. `{order_id}` in the query is the column of that name, as text.
    pub async fn rows<const COLUMNS: usize>(
        &self,
        service: &str,
        query: &str,
    ) -> Vec<[String; COLUMNS]> {
        match self {
            Self::Sqlite(data) => {
                let file = data.join(format!("{service}.db"));
                let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
                let mut database = SqliteConnection::connect_with(&options).await.unwrap();
                let query = query.replace("{order_id}", "lower(hex(order_id))");
                let query = sqlx::query(AssertSqlSafe(query));
                let rows = query.fetch_all(&mut database).await.unwrap();
                database.close().await.unwrap();
                rows.iter().map(|row| std::array::from_fn(|column| row.get(column))).collect()
            }
            Self::Postgres(url) => {
                let mut database = PgConnection::connect(url).await.unwrap();
                let path = format!("SET search_path TO {}", schema(service));
                sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut database).await.unwrap();
                let query = query.replace("{order_id}", "CAST(order_id AS TEXT)");
                let query = sqlx::query(AssertSqlSafe(query));
                let rows = query.fetch_all(&mut database).await.unwrap();
                database.close().await.unwrap();
                rows.iter().map(|row| std::array::from_fn(|column| row.get(column))).collect()
            }
        }
    }
}
