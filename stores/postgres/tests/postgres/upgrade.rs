//! Upgrades: a schema of any version since 0.2.0 is brought up to date. A schema of version 0.1 or of a newer
//! version is refused and left as it is.

use crate::backend::next_owner;
use crate::server::{Scratch, run};
use ordermill_postgres::{Database, MIGRATIONS, OpenError, order};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, SqlSafeStr};

static COMMON: Migrator = sqlx::migrate!("../../migrations/postgres/common");

/// The first `common` common migrations and the first `own` ones of the service.
fn first(common: usize, service: &Migrator, own: usize) -> Vec<Migration> {
    COMMON.iter().take(common).chain(service.iter().take(own)).cloned().collect()
}

/// How many common migrations and how many of the service a schema may have, whatever version left it and wherever
/// that was interrupted.
fn states(service: &Migrator) -> impl Iterator<Item = (usize, usize)> {
    let own = service.iter().len();
    (0..=COMMON.iter().len()).flat_map(move |common| (0..=own).map(move |own| (common, own)))
}

/// A migration that this version does not have.
fn unknown(version: i64, sql: &'static str) -> Migration {
    Migration::new(version, "test".into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// A connection whose tables are those of the schema.
async fn connect(scratch: &Scratch, schema: &str) -> PgConnection {
    let mut conn = scratch.connect().await;
    run(&mut conn, format!("SET search_path TO {schema}")).await;
    conn
}

/// The schema as another version has left it, with these migrations applied.
async fn create(scratch: &Scratch, schema: &str, migrations: Vec<Migration>) {
    let mut conn = connect(scratch, schema).await;
    run(&mut conn, format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await;
    run(&mut conn, format!("CREATE SCHEMA {schema}")).await;
    Migrator::with_migrations(migrations).run(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// All that is in the schema: tables and indexes, and the migrations that are applied.
async fn contents(scratch: &Scratch, schema: &str) -> (Vec<String>, Vec<i64>) {
    let mut conn = connect(scratch, schema).await;
    let names = "SELECT relname::text FROM pg_class
                 WHERE relnamespace = current_schema()::regnamespace ORDER BY relname";
    let names = sqlx::query_scalar(names).fetch_all(&mut conn).await.unwrap();
    let versions = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let versions = sqlx::query_scalar(versions).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    (names, versions)
}

async fn open(
    scratch: &Scratch,
    schema: &'static str,
    own: &Migrator,
) -> Result<Database, OpenError> {
    Database::open(&scratch.url(), schema, own, next_owner()).await
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_of_any_version_since_0_2_0_is_brought_up_to_date() {
    let scratch = Scratch::new().await;
    for (schema, own) in MIGRATIONS {
        open(&scratch, schema, own).await.unwrap().close().await;
        let newest = contents(&scratch, schema).await;
        for (common, steps) in states(own) {
            create(&scratch, schema, first(common, own, steps)).await;
            open(&scratch, schema, own).await.unwrap().close().await;
            assert_eq!(contents(&scratch, schema).await, newest, "{schema} {common} {steps}");
        }
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_of_version_0_1_is_refused_with_what_to_do() {
    let scratch = Scratch::new().await;
    // The numbers of its migrations: 1 to 99 and from 101 on. The common ones came first.
    let old = [
        unknown(1, "CREATE TABLE outbox (id uuid)"),
        unknown(101, "CREATE TABLE orders (order_id uuid)"),
    ];
    for applied in 1..=2 {
        create(&scratch, order::SCHEMA, old.iter().take(applied).cloned().collect()).await;
        let before = contents(&scratch, order::SCHEMA).await;
        let refused = open(&scratch, order::SCHEMA, &order::MIGRATIONS).await.err().unwrap();
        assert!(matches!(refused, OpenError::TooOld { .. }), "{refused}");
        assert!(!refused.may_pass());
        let said = refused.to_string();
        assert!(said.starts_with("schema \"orders\" of database "), "{said}");
        let rest = "was created by Ordermill 0.1, whose data this version does not read; start \
                    with an empty database, or use version 0.1";
        assert!(said.ends_with(rest), "{said}");
        assert_eq!(contents(&scratch, order::SCHEMA).await, before);
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_of_a_newer_version_is_refused() {
    let scratch = Scratch::new().await;
    for (schema, own) in MIGRATIONS {
        let later = unknown(999, "CREATE TABLE of_a_later_version (id bigint)");
        let all = first(usize::MAX, own, usize::MAX);
        create(&scratch, schema, all.into_iter().chain([later]).collect()).await;
        let before = contents(&scratch, schema).await;
        let refused = open(&scratch, schema, own).await.err().unwrap();
        assert!(matches!(refused, OpenError::Newer { version: 999, .. }), "{refused}");
        assert_eq!(contents(&scratch, schema).await, before);
    }
}
