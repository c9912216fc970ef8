//! `ordermill check`: it finds what somebody has changed in a service's database, names both sides, mends what can
//! be said again, and raises no false alarm.

use super::server::{Ended, Server, bare};
use super::setup::Setup;
use super::shop::{Shop, order};
use futures::future::join_all;
use ordermill_actors::registry::DATABASE_NAMES;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The longest that orders may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the shop is busy while it is checked.
const BUSY_FOR: Duration = Duration::from_secs(8);
/// Customers who order one after the other.
const CUSTOMERS: usize = 8;

/// Runs `ordermill check`.
fn check(arguments: &[&str]) -> Ended {
    Ended::of(bare().arg("check").args(arguments))
}

/// The check of a running server, where orders count soon.
fn check_server(server: &Server, more: &[&str]) -> Ended {
    check(&[&["--url", &server.url, "--settle", "1s"], more].concat())
}

/// Changes a service's file while no server uses it.
async fn change(data: &Path, service: &str, statement: &str) {
    let options = SqliteConnectOptions::new().filename(data.join(format!("{service}.db")));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// So many confirmed orders of two units each, and the server that has taken them.
async fn with_orders(setup: &Setup, count: usize) -> (Server, Vec<String>) {
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000).await;
    let orders: Vec<Value> = (0..count)
        .map(|number| order(&format!("customer {number}"), &[("A", 2)], "credit_card"))
        .collect();
    let ids = shop.place_all(&orders, 4).await;
    shop.all_at_rest(PATIENCE).await;
    (server, ids)
}

/// An order's id as its column has it.
fn blob(id: &str) -> String {
    format!("x'{}'", id.replace('-', ""))
}

/// What is done to a file, and what is said of it then.
struct Planted {
    service: &'static str,
    /// `{id}` stands for the order.
    statement: &'static str,
    aspect: &'static str,
    /// What the other side says.
    says: &'static str,
    /// Whether saying everything again mends it.
    is_mended: bool,
}

/// Each is done to an order of its own.
const PLANTED: [Planted; 7] = [
    Planted {
        service: "inventory",
        statement: "DELETE FROM reservations WHERE order_id = {id}",
        aspect: "reservation",
        says: "no reservation",
        is_mended: true,
    },
    Planted {
        service: "payment",
        statement: "UPDATE payments SET status = 'FAILED', \
                    payment = json_set(json_remove(payment, '$.known'), '$.state', \
                    json('{\"name\":\"ended\",\"end\":{\"declined\":{\"reason\":\"planted\"}}}')) \
                    WHERE order_id = {id}",
        aspect: "payment",
        says: "FAILED, captured nothing",
        is_mended: false,
    },
    Planted {
        service: "gateway",
        statement: "UPDATE gateway_ledger SET refunded_minor = captured_minor WHERE order_id = {id}",
        aspect: "ledger",
        says: "refunded 19.80 USD",
        is_mended: false,
    },
    Planted {
        service: "shipping",
        statement: "DELETE FROM shipments WHERE order_id = {id}",
        aspect: "shipment",
        says: "no shipment",
        is_mended: true,
    },
    Planted {
        service: "audit",
        statement: "DROP TRIGGER audit_entries_are_kept; DELETE FROM audit_entries \
                    WHERE order_id = {id} AND event_type IN ('order.confirmed', 'payment.approved')",
        aspect: "audit",
        says: "missing: order.confirmed, payment.approved",
        is_mended: true,
    },
    Planted {
        service: "notification",
        statement: "DELETE FROM notifications WHERE order_id = {id} AND topic = 2",
        aspect: "notification",
        says: "missing: order.confirmed",
        is_mended: true,
    },
    Planted {
        service: "order",
        statement: "DELETE FROM sagas WHERE order_id = {id}; DELETE FROM orders WHERE order_id = {id}",
        aspect: "unknown_order",
        says: "RESERVED, 2 × A",
        is_mended: false,
    },
];

/// What is said of an order in one respect, in the report for people.
fn said<'a>(report: &'a str, id: &str, aspect: &str) -> &'a str {
    let heading = format!("order {id}: {aspect}\n");
    let found = report.find(&heading).unwrap_or_else(|| panic!("no `{heading}` in:\n{report}"));
    let rest = &report[found..];
    let end = rest[heading.len()..].find("\norder ").map_or(rest.len(), |end| heading.len() + end);
    &rest[..end]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_disagreements_are_found_with_both_sides_and_repaired_where_possible() {
    // The check in the background would find it too, and only logs it.
    let setup = Setup::embedded().with("ORDERMILL_CHECK_INTERVAL", "off");
    let (server, ids) = with_orders(&setup, PLANTED.len() + 1).await;
    let clean = check_server(&server, &[]);
    assert_eq!(clean.code, Some(0), "{}{}", clean.stdout, clean.stderr);
    assert!(clean.stdout.contains("compared 8 orders and 1 products"), "{}", clean.stdout);
    server.terminate().await;

    let data = setup.data();
    for (planted, id) in PLANTED.iter().zip(&ids) {
        change(&data, planted.service, &planted.statement.replace("{id}", &blob(id))).await;
    }
    change(&data, "inventory", "UPDATE stock SET on_hand = on_hand + 5 WHERE product_id = 'A'")
        .await;
    let path = data.to_str().unwrap();
    let found = check(&["--data-dir", path]);
    assert_eq!(found.code, Some(1), "{}{}", found.stdout, found.stderr);
    for (planted, id) in PLANTED.iter().zip(&ids) {
        let said = said(&found.stdout, id, planted.aspect);
        assert!(said.contains("  order "), "{said}");
        assert!(said.contains(planted.says), "{said}");
    }
    assert!(!found.stdout.contains(&ids[PLANTED.len()]), "{}", found.stdout);
    assert!(found.stdout.contains("product A: reserved_stock"), "{}", found.stdout);
    assert!(found.stdout.contains("product A: movements"), "phantom units: {}", found.stdout);
    let nowhere = check(&["--data-dir", &format!("{path}/nowhere")]);
    assert_eq!(nowhere.code, Some(69), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("missing files: order.db"), "{}", nowhere.stderr);
    assert!(!data.join("nowhere").exists(), "a check makes nothing");
    let refused = check(&["--data-dir", path, "--repair"]);
    assert_eq!(refused.code, Some(64), "{}", refused.stderr);

    let server = setup.start();
    let in_use = check(&["--data-dir", path]);
    assert_eq!(in_use.code, Some(69), "{}", in_use.stderr);
    let same = check_server(&server, &["--json"]);
    assert_eq!(same.code, Some(1), "{}{}", same.stdout, same.stderr);
    let lines: Vec<Value> =
        same.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["differ"]["orders"], PLANTED.len(), "{summary}");

    let mended = check_server(&server, &["--repair"]);
    assert_eq!(mended.code, Some(1), "{}{}", mended.stdout, mended.stderr);
    for (planted, id) in PLANTED.iter().zip(&ids) {
        let is_mended = mended.stdout.contains(&format!("repaired: order {id}"));
        assert_eq!(is_mended, planted.is_mended, "{}: {}", planted.aspect, mended.stdout);
    }
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_taken_file_by_file_under_load_is_found_out() {
    let setup = Setup::embedded().with("ORDERMILL_CHECK_INTERVAL", "off");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    let copy = tempfile::tempdir().unwrap();
    let copied = copy.path().join("data");
    std::fs::create_dir(&copied).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let take = |service: &str| {
        for end in ["", "-wal"] {
            let name = format!("{service}.db{end}");
            std::fs::copy(setup.data().join(&name), copied.join(&name)).unwrap();
        }
    };
    let copying = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for service in DATABASE_NAMES.into_iter().filter(|name| *name != "order") {
            take(service);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        stop.store(true, Relaxed);
    };
    tokio::join!(busy(&shop, &stop), copying);
    // Whatever was confirmed after the first of them was copied is confirmed in the last one only.
    let orders = shop.all_at_rest(PATIENCE).await;
    take("order");
    server.terminate().await;
    let found = check(&["--data-dir", copied.to_str().unwrap()]);
    assert_eq!(found.code, Some(1), "{}{}", found.stdout, found.stderr);
    assert!(found.stdout.contains("no reservation"), "{}", found.stdout);
    let whole = check(&["--data-dir", setup.data().to_str().unwrap()]);
    assert_eq!(whole.code, Some(0), "{}{}", whole.stdout, whole.stderr);
    assert!(
        whole.stdout.contains(&format!("compared {} orders", orders.len())),
        "{}",
        whole.stdout
    );
}

/// Customers who order, cancel and have things sent, until they are told to stop.
async fn busy(shop: &Shop, stop: &AtomicBool) {
    let customer = |number: usize| async move {
        let methods = ["credit_card", "paypal", "test_declined"];
        let mut turn = number;
        while !stop.load(Relaxed) {
            turn += 1;
            let wanted = order(&format!("customer {number}"), &[("A", 1)], methods[turn % 3]);
            let id = shop.place(&wanted).await;
            match turn % 4 {
                // Each may come too early or too late, and is refused then.
                0 => drop(shop.post(&format!("/orders/{id}/cancel")).await),
                1 => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    drop(shop.post(&format!("/orders/{id}/dispatch")).await);
                }
                _ => {}
            }
        }
    };
    join_all((0..CUSTOMERS).map(customer)).await;
}

async fn a_busy_shop_raises_no_false_alarm(setup: Setup, flow: &str) {
    let server = setup.with("ORDERMILL_FLOW", flow).start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (url, stopped) = (server.url.clone(), stop.clone());
    let checking = tokio::task::spawn_blocking(move || {
        let begun = std::time::Instant::now();
        let mut checks = Vec::new();
        while begun.elapsed() < BUSY_FOR {
            checks.push(check(&["--url", &url, "--settle", "3s"]));
        }
        stopped.store(true, Relaxed);
        checks
    });
    busy(&shop, &stop).await;
    let checks = checking.await.unwrap();
    for checked in &checks {
        assert_eq!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
    }
    let orders = shop.all_at_rest(PATIENCE).await;
    println!("{} checks of up to {} orders, {flow}", checks.len(), orders.len());
    super::reconciliation::services_agree(&shop, orders.len()).await;
    server.terminate().await;
}

async fn orchestrated(setup: Setup) {
    a_busy_shop_raises_no_false_alarm(setup, "orchestrated").await;
}

async fn choreographed(setup: Setup) {
    a_busy_shop_raises_no_false_alarm(setup, "choreographed").await;
}

/// What differs is found without anybody asking, and is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disagreements_are_found_in_the_background() {
    let setup = Setup::embedded().with("ORDERMILL_CHECK_INTERVAL", "50ms");
    let (server, ids) = with_orders(&setup, 2).await;
    server.terminate().await;
    change(
        &setup.data(),
        "shipping",
        &format!("DELETE FROM shipments WHERE order_id = {}", blob(&ids[0])),
    )
    .await;
    let server = setup.start();
    let begun = std::time::Instant::now();
    let metric = "ordermill_disagreements{aspect=\"shipment\"} 1";
    loop {
        let metrics = server.shop().get("/metrics").await;
        if metrics.as_str().unwrap().contains(metric) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{metrics}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    server.terminate().await;
}

everywhere! {
    orchestrated
    choreographed
}
