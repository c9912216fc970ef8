//! What is on the disk: complete after a clean stop, and complete in a backup of a running server.

use super::reconciliation;
use super::server::{Ended, Server, bare};
use super::setup::Setup;
use super::shop::{Order, Shop, order};
use ordermill_actors::registry::DATABASE_NAMES;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The longest that orders may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(60);
/// Bytes that a database has beside its orders, where it shall take a while to read.
const FILLER: usize = 64 << 20;
/// Units of the one product.
const PLENTY: i64 = 1_000_000;
fn files(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A data directory, beside its lock.
fn databases() -> BTreeSet<String> {
    DATABASE_NAMES.map(|name| format!("{name}.db")).into()
}

/// Copies the files of these names into a new data directory.
fn copied(from: &Setup, names: impl IntoIterator<Item = impl AsRef<Path>>) -> Setup {
    let to = Setup::embedded();
    std::fs::create_dir(to.data()).unwrap();
    for name in names {
        std::fs::copy(from.data().join(&name), to.data().join(&name)).unwrap();
    }
    to
}

fn some_orders(customer: &str, count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| order(&format!("{customer}-{number}"), &[("A", 1)], "credit_card"))
        .collect()
}

async fn balances(shop: &Shop, setup: &Setup, orders: &[Order]) {
    let initial = BTreeMap::from([("A".to_owned(), PLENTY)]);
    reconciliation::balance(shop, &initial, orders).await;
    setup.databases().all_messages_were_consumed().await;
}

/// Starts a server there and checks that it comes to rest in a consistent state; its orders.
async fn comes_to_rest(setup: &Setup) -> (Server, Vec<Order>) {
    let server = setup.start();
    let orders = server.shop().all_at_rest(REST_LIMIT).await;
    balances(&server.shop(), setup, &orders).await;
    (server, orders)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_leaves_the_whole_shop_in_the_databases_alone() {
    let setup = Setup::embedded();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", PLENTY).await;
    let placed: BTreeSet<_> =
        shop.place_all(&some_orders("b", 200), 20).await.into_iter().collect();
    server.terminate().await;

    let mut left = files(&setup.data());
    assert!(left.remove("ordermill.lock"));
    assert_eq!(
        left,
        databases(),
        "a log is left: what it holds is missing from a copy of the rest"
    );
    let copy = copied(&setup, databases());
    let (server, orders) = comes_to_rest(&copy).await;
    assert_eq!(
        orders.into_iter().map(|order| order.order_id.to_string()).collect::<BTreeSet<_>>(),
        placed
    );
    server.terminate().await;
}

/// Runs `ordermill backup` with these arguments; it must succeed. Where the backup is.
fn back_up(setup: &Setup, arguments: &[&str]) -> Setup {
    let backup = Setup::embedded();
    let directory = backup.data();
    let arguments = [&["backup", directory.to_str().unwrap()], arguments].concat();
    let ended = setup.run(&arguments);
    println!("{}", ended.stdout.lines().next().unwrap_or_default());
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let mut expected = databases();
    expected.insert("backup.json".to_owned());
    assert_eq!(files(&directory), expected);
    let beside = files(directory.parent().unwrap());
    assert_eq!(beside, BTreeSet::from(["data".to_owned()]), "something is left beside it");
    backup
}

/// Waits until so many more orders are accepted; all of them.
async fn busy(accepted: &Mutex<Vec<String>>) -> BTreeSet<String> {
    let before = accepted.lock().unwrap().len();
    loop {
        let now = accepted.lock().unwrap().clone();
        if now.len() >= before + 100 {
            return now.into_iter().collect();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Customers buy all the while. Each backup holds every order that was accepted before it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_of_a_busy_server_restore_to_a_consistent_state() {
    let setup = Setup::embedded();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", PLENTY).await;
    let enough = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let customers: Vec<_> = (0..12)
        .map(|number| {
            let (shop, enough, accepted) = (shop.clone(), enough.clone(), accepted.clone());
            tokio::spawn(async move {
                for order in some_orders(&format!("customer-{number}"), 100_000) {
                    if enough.load(Relaxed) {
                        break;
                    }
                    let id = shop.place(&order).await;
                    accepted.lock().unwrap().push(id);
                }
            })
        })
        .collect();
    let mut backups = Vec::new();
    for _ in 0..3 {
        let before = busy(&accepted).await;
        let (setup, url) = (setup.clone(), server.url.clone());
        let taken = move || back_up(&setup, &["--url", &url]);
        backups.push((before, tokio::task::spawn_blocking(taken).await.unwrap()));
    }
    enough.store(true, Relaxed);
    for customer in customers {
        customer.await.unwrap();
    }
    let all = accepted.lock().unwrap().len();
    server.kill9();

    for (before, backup) in backups {
        let (server, orders) = comes_to_rest(&backup).await;
        let known: BTreeSet<_> =
            orders.into_iter().map(|order| order.order_id.to_string()).collect();
        println!(
            "{} orders, {} of them accepted before, {all} in the end",
            known.len(),
            before.len()
        );
        assert!(before.is_subset(&known), "orders that were accepted before are missing");
        server.terminate().await;
    }
}

/// A data directory is enough to say, whether a server works in it or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_is_backed_up_whether_or_not_a_server_works_in_it() {
    let setup = Setup::embedded();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", PLENTY).await;
    let first = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    shop.until(&first, REST_LIMIT, Order::is_at_rest).await;
    let running = back_up(&setup, &[]);
    server.kill9();
    // What is in the logs belongs to it, too.
    let killed = back_up(&setup, &[]);
    for backup in [running, killed] {
        let (server, orders) = comes_to_rest(&backup).await;
        assert_eq!(orders.len(), 1);
        assert_eq!(orders[0].order_id.to_string(), first);
        server.terminate().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_backup_is_reported_and_leaves_no_files() {
    let setup = Setup::embedded();
    let server = setup.start();
    let (scratch, url) = (tempfile::tempdir().unwrap(), server.url.clone());
    let full = scratch.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine"), "keep").unwrap();
    let (full, new) = (full.to_str().unwrap(), scratch.path().join("new"));
    let (new, nobody) = (new.to_str().unwrap(), "http://127.0.0.1:1");
    let nowhere = scratch.path().join("nowhere");
    for (arguments, words) in [
        (vec!["backup", full, "--url", &url], "is not an empty directory"),
        (vec!["backup", new, "--url", nobody], "no server responds"),
        (
            vec!["backup", new, "--data-dir", nowhere.to_str().unwrap()],
            "there is no data directory",
        ),
        (vec!["backup", new, "--data-dir", full], "there are no databases"),
    ] {
        let ended = setup.run(&arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stdout);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(files(scratch.path()), BTreeSet::from(["full".to_owned()]));
    server.terminate().await;
}

/// While one reader takes its time the next is told so; the databases go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_backup_is_taken_at_a_time_and_ends_with_its_reader() {
    let setup = Setup::embedded();
    setup.start().terminate().await;
    // More than connections and queues hold by themselves.
    let file = SqliteConnectOptions::new().filename(setup.data().join("audit.db"));
    let mut database = file.connect().await.unwrap();
    let filler = format!("CREATE TABLE filler AS SELECT zeroblob({FILLER}) AS zeros");
    sqlx::raw_sql(AssertSqlSafe(filler)).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", PLENTY).await;
    let asked = shop.request(Method::POST, "/admin/backup").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::OK);
    assert_eq!(asked.headers()["content-type"], "application/x-tar");
    let (status, problem) = shop.post("/admin/backup").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let id = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    shop.until(&id, REST_LIMIT, Order::is_at_rest).await;
    drop(asked);
    let begun = Instant::now();
    let backup = loop {
        let answer = shop.request(Method::POST, "/admin/backup").send().await.unwrap();
        if answer.status() == StatusCode::OK {
            break answer.bytes().await.unwrap();
        }
        assert!(begun.elapsed() < REST_LIMIT, "a reader that has gone is not noticed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(backup.len() > FILLER, "{} bytes", backup.len());
    server.terminate().await;
    let mut left = files(&setup.data());
    left.remove("ordermill.lock");
    assert_eq!(left, databases(), "a log is left");
}

/// Checks that no server starts there, that no backup is taken, and that the errors say this.
fn refused(setup: &Setup, said: &str) {
    let copies = tempfile::tempdir().unwrap();
    let mut backup = bare();
    backup.arg("backup").arg(copies.path().join("copy")).arg("--data-dir").arg(setup.data());
    for ended in [setup.run(&[]), Ended::of(&mut backup)] {
        assert_eq!(ended.code, Some(1), "files of different moments pass: {}", ended.stdout);
        let words = "the files in the data directory are from different points in time";
        assert!(ended.stderr.contains(words) && ended.stderr.contains(said), "{}", ended.stderr);
    }
}

/// Copied one after the other while customers buy: each file is sound, and they do not fit together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_copied_from_a_busy_server_are_refused() {
    let setup = Setup::embedded();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", PLENTY).await;
    let copying = async {
        let copy = Setup::embedded();
        std::fs::create_dir(copy.data()).unwrap();
        for database in databases() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            for file in [database.to_owned(), format!("{database}-wal")] {
                std::fs::copy(setup.data().join(&file), copy.data().join(&file)).unwrap();
            }
        }
        copy
    };
    let wanted = some_orders("b", 1_000_000);
    let copy = tokio::select! {
        copy = copying => copy,
        _ = shop.place_all(&wanted, 20) => unreachable!("nobody places so many orders in so short a time"),
    };
    server.kill9();
    // Which of them is furthest behind depends on how fast each service writes.
    refused(&copy, ".db contains batch");
}

/// One file of another day among the others, older or newer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_another_moment_is_refused_unless_it_is_accepted() {
    let setup = Setup::embedded();
    let server = setup.start();
    server.shop().stock("A", PLENTY).await;
    let buy = async |shop: Shop| {
        shop.place_all(&some_orders("b", 20), 5).await;
        shop.all_at_rest(REST_LIMIT).await;
    };
    buy(server.shop()).await;
    server.terminate().await;
    let early = copied(&setup, databases());
    let server = setup.start();
    buy(server.shop()).await;
    server.terminate().await;

    let replaced = |in_copy_of: &Setup, by: &Setup, file: &str| {
        let mixed = copied(in_copy_of, databases());
        std::fs::copy(by.data().join(file), mixed.data().join(file)).unwrap();
        mixed
    };
    let older = replaced(&setup, &early, "inventory.db");
    refused(&older, "inventory.db");
    refused(&replaced(&early, &setup, "payment.db"), "payment.db");
    let lost = copied(&setup, databases());
    std::fs::remove_file(lost.data().join("order.db")).unwrap();
    for _ in 0..2 {
        refused(&lost, "of order.db, which is missing");
        assert!(!lost.data().join("order.db").exists(), "a start that is refused makes no files");
    }

    let accepted = older.clone().with("ORDERMILL_MIXED_FILES", "accept");
    accepted.start().terminate().await;
    older.start().terminate().await;
    for whole in [early, setup] {
        comes_to_rest(&whole).await.0.terminate().await;
    }
}

async fn data_on_servers_are_not_backed_up_here(setup: Setup) {
    let server = setup.start();
    let (status, problem) = server.shop().post("/admin/backup").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("docs/OPERATING.md"), "{problem}");
    server.terminate().await;
}

on_servers! { data_on_servers_are_not_backed_up_here }
