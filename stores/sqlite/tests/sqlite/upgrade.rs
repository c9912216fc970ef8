//! Upgrades: a file of any version since 0.2.0 is brought up to date. A file of version 0.1 or of a newer
//! version is refused and left as it is.

use crate::backend::Scratch;
use crate::notes::migrations;
use ordermill_sqlite::progress::compare_files;
use ordermill_sqlite::{Database, MIGRATIONS, OpenError, order};
use sqlx::migrate::{Migration, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::path::Path;

static COMMON: Migrator = sqlx::migrate!("../../migrations/sqlite/common");

/// The first `common` common migrations and the first `own` ones of the service.
fn first(common: usize, service: &Migrator, own: usize) -> Vec<Migration> {
    COMMON.iter().take(common).chain(service.iter().take(own)).cloned().collect()
}

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    options.connect().await.unwrap()
}

/// How many common migrations and how many of the service a file may have, whatever version left it and wherever
/// that was interrupted.
fn states(service: &Migrator) -> impl Iterator<Item = (usize, usize)> {
    let own = service.iter().len();
    (0..=COMMON.iter().len()).flat_map(move |common| (0..=own).map(move |own| (common, own)))
}

/// A file as another version has left it, with these migrations applied.
async fn create(file: &Path, migrations: Vec<Migration>) {
    let mut conn = connect(file).await;
    Migrator::with_migrations(migrations).run(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// All that is in the file: tables, indexes, triggers, and the migrations that are applied.
async fn contents(file: &Path) -> (Vec<String>, Vec<i64>) {
    let mut conn = connect(file).await;
    let names = "SELECT name FROM sqlite_schema ORDER BY name";
    let names = sqlx::query_scalar(names).fetch_all(&mut conn).await.unwrap();
    let versions = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let versions = sqlx::query_scalar(versions).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    (names, versions)
}

#[tokio::test]
async fn a_file_of_any_version_since_0_2_0_is_brought_up_to_date() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    for (service, own) in MIGRATIONS {
        let newest = scratch.path().join(format!("{service}.db"));
        Database::open(&directory, service, own).await.unwrap().close().await;
        for (common, steps) in states(own) {
            let name = format!("{service}-{common}-{steps}");
            let file = scratch.path().join(format!("{name}.db"));
            create(&file, first(common, own, steps)).await;
            Database::open(&directory, &name, own).await.unwrap().close().await;
            assert_eq!(contents(&file).await, contents(&newest).await, "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_of_version_0_1_is_refused_with_what_to_do() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let file = scratch.path().join("order.db");
    // The numbers of its migrations: 1 to 99 and from 101 on. The common ones came first.
    let old = migrations(&[
        (1, "CREATE TABLE outbox (id BLOB)"),
        (5, "CREATE TABLE progress (id INTEGER, batch INTEGER, seen TEXT)"),
        (101, "CREATE TABLE orders (order_id BLOB)"),
    ]);
    for applied in 1..=3 {
        create(&file, old.iter().take(applied).cloned().collect()).await;
        let before = contents(&file).await;
        let started = Database::open(&directory, "order", &order::MIGRATIONS).await.unwrap_err();
        assert!(matches!(started, OpenError::TooOld { .. }), "{started}");
        let said = format!(
            "{} was created by Ordermill 0.1, whose data this version does not read; start with an \
             empty data directory, or use version 0.1",
            file.display()
        );
        assert_eq!(started.to_string(), said);
        // What no start reads is not worth a backup either.
        let copied = Database::open_all(&directory).await.unwrap_err();
        let compared = compare_files(&directory, &["order"]).await.unwrap_err();
        assert_eq!([copied.to_string(), compared.to_string()], [said.as_str(), said.as_str()]);
        assert_eq!(contents(&file).await, before);
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    for (service, own) in MIGRATIONS {
        let file = scratch.path().join(format!("{service}.db"));
        let later = migrations(&[(999, "CREATE TABLE of_a_later_version (id INTEGER)")]);
        let all = first(usize::MAX, own, usize::MAX);
        create(&file, all.into_iter().chain(later.iter().cloned()).collect()).await;
        let before = contents(&file).await;
        let refused = Database::open(&directory, service, own).await.unwrap_err();
        assert!(matches!(refused, OpenError::Newer { version: 999, .. }), "{refused}");
        assert_eq!(contents(&file).await, before);
    }
}
