//! How a schema is opened: by several processes at once, over another version's, and with settings that
//! are wrong, which are answered with what is to be mended.

use crate::backend::next_owner;
use crate::server::{Scratch, run, server};
use ordermill_actors::shipping::ShipmentReads;
use ordermill_contract::values::order;
use ordermill_postgres::shipping::{MIGRATIONS, SCHEMA, ShippingDatabase};
use ordermill_postgres::{Database, Migrate, OpenError};
use sqlx::ConnectOptions;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use std::net::TcpListener;

async fn open(url: &str) -> Result<Database, OpenError> {
    Database::open(url, SCHEMA, &MIGRATIONS, next_owner()).await
}

async fn verified(url: &str, all: &Migrator) -> Result<Database, OpenError> {
    Database::open_with(url, SCHEMA, all, next_owner(), Migrate::Refuse).await
}

async fn refused(options: PgConnectOptions) -> OpenError {
    open(options.to_url_lossy().as_str()).await.expect_err("it cannot be opened")
}

/// What every refusal must say, and what none may.
fn says(error: &OpenError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
    assert!(!text.contains("hunter2"), "the password is in it: {text}");
    assert!(!text.contains('\n'), "one line: {text:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn four_processes_make_the_same_schema_at_the_same_time() {
    let scratch = Scratch::new().await;
    let openers: Vec<_> = (0..4)
        .map(|_| {
            let url = scratch.url();
            tokio::spawn(async move { open(&url).await })
        })
        .collect();
    for opener in openers {
        let database = opener.await.unwrap().unwrap();
        let reads = ShippingDatabase(database.clone());
        assert_eq!(reads.shipment(order(1)).await.unwrap(), None);
        database.close().await;
    }
    let mut conn = scratch.connect().await;
    let sql = "SELECT count(*) - count(DISTINCT version) FROM shipping._sqlx_migrations";
    let twice: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
    assert_eq!(twice, 0);
}

fn with(more: &[(i64, &'static str)]) -> Migrator {
    let migration = |(version, sql): &(i64, &'static str)| {
        let sql = (*sql).into_sql_str();
        Migration::new(*version, "test".into(), MigrationType::Simple, sql, false)
    };
    let all = MIGRATIONS.iter().cloned().chain(more.iter().map(migration));
    Migrator::with_migrations(all.collect())
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_schema_of_another_version_is_refused() {
    let scratch = Scratch::new().await;
    let url = scratch.url();
    let newer = with(&[(398, "CREATE TABLE of_later (id bigint)")]);
    Database::open(&url, SCHEMA, &newer, next_owner()).await.unwrap().close().await;
    let old = open(&url).await.err().unwrap();
    assert!(matches!(old, OpenError::Newer { version: 398, .. }), "{old}");
    says(&old, &["shipping", "newer", "398"]);

    let altered = with(&[(398, "CREATE TABLE of_another_build (id bigint)")]);
    let other = Database::open(&url, SCHEMA, &altered, next_owner()).await.err().unwrap();
    assert!(matches!(other, OpenError::Altered { version: 398, .. }), "{other}");
    says(&other, &["shipping", "398"]);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn without_migrating_only_a_schema_of_this_version_is_opened() {
    let scratch = Scratch::new().await;
    let url = scratch.url();
    let empty = verified(&url, &MIGRATIONS).await.err().unwrap();
    assert!(matches!(empty, OpenError::Behind { version: 201, .. }), "{empty}");
    says(&empty, &["shipping", "201", "ORDERMILL_MIGRATE", "ordermill migrate"]);
    assert!(!empty.may_pass());

    open(&url).await.unwrap().close().await;
    verified(&url, &MIGRATIONS).await.unwrap().close().await;
    let newer = with(&[(398, "CREATE TABLE of_later (id bigint)")]);
    let behind = verified(&url, &newer).await.err().unwrap();
    assert!(matches!(behind, OpenError::Behind { version: 398, .. }), "{behind}");

    Database::open(&url, SCHEMA, &newer, next_owner()).await.unwrap().close().await;
    let old = verified(&url, &MIGRATIONS).await.err().unwrap();
    assert!(matches!(old, OpenError::Newer { version: 398, .. }), "{old}");
    let altered = with(&[(398, "CREATE TABLE of_another_build (id bigint)")]);
    let other = verified(&url, &altered).await.err().unwrap();
    assert!(matches!(other, OpenError::Altered { version: 398, .. }), "{other}");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn an_older_schema_is_brought_up_to_date_and_a_failed_migration_leaves_it_as_it_was() {
    let scratch = Scratch::new().await;
    let url = scratch.url();
    open(&url).await.unwrap().close().await;
    let broken = with(&[(398, "CREATE TABLE half (id bigint); SELECT 1 / 0")]);
    let failed = Database::open(&url, SCHEMA, &broken, next_owner()).await.err().unwrap();
    assert!(matches!(failed, OpenError::Migration { .. }), "{failed}");
    let mended = with(&[(398, "CREATE TABLE half (id bigint)")]);
    Database::open(&url, SCHEMA, &mended, next_owner()).await.unwrap().close().await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_wrong_address_is_explained() {
    for url in
        ["", "127.0.0.1:5432/ordermill", "mysql://u:hunter2@127.0.0.1/x", "postgres://h:99999/x"]
    {
        let error = open(url).await.expect_err(url);
        assert!(matches!(error, OpenError::Address { .. }), "{url}: {error}");
        says(&error, &["postgres://"]);
        assert!(!error.may_pass());
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(server().host("127.0.0.1").port(closed).password("hunter2")).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    says(&error, &["127.0.0.1", &closed.to_string()]);
    assert!(error.may_pass(), "it may only be starting");
    let error = refused(server().host("no-such-host.invalid").password("hunter2")).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    says(&error, &["no-such-host.invalid"]);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_server_that_accepts_and_never_answers_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = refused(server().host("127.0.0.1").port(port)).await;
    assert!(error.may_pass(), "{error}");
    says(&error, &[&port.to_string()]);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn wrong_credentials_and_a_wrong_database_are_reported() {
    let scratch = Scratch::new().await;
    let error = refused(scratch.options().password("hunter2")).await;
    assert!(matches!(error, OpenError::Credentials { .. }), "{error}");
    says(&error, &[server().get_username()]);
    assert!(!error.may_pass());
    let error = refused(scratch.options().username("nobody_here").password("hunter2")).await;
    assert!(matches!(error, OpenError::Credentials { .. }), "{error}");
    says(&error, &["nobody_here"]);
    let error = refused(server().database("ordermill_not_there")).await;
    assert!(matches!(error, OpenError::NoDatabase { .. }), "{error}");
    says(&error, &["ordermill_not_there"]);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_user_without_the_right_to_create_a_schema_is_refused() {
    let scratch = Scratch::new().await;
    let role = format!("ordermill_test_reader_{}", std::process::id());
    let mut conn = scratch.connect().await;
    run(&mut conn, format!("DROP ROLE IF EXISTS {role}")).await;
    run(&mut conn, format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'")).await;
    let error = refused(scratch.options().username(&role).password("hunter2")).await;
    run(&mut conn, format!("DROP ROLE {role}")).await;
    assert!(matches!(error, OpenError::Forbidden { .. }), "{error}");
    says(&error, &[&role, "shipping"]);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_server_with_asynchronous_commit_is_set_to_wait_for_its_disk() {
    let scratch = Scratch::new().await;
    let mut conn = scratch.connect().await;
    let name = scratch.options().get_database().unwrap_or_default().to_owned();
    run(&mut conn, format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    let database = open(&scratch.url()).await.unwrap();
    let setting: String = database
        .write(|conn| {
            let show = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(conn);
            Box::pin(async move { Ok(show.await?) })
        })
        .await
        .unwrap();
    assert_eq!(setting, "on");
    database.close().await;
}
