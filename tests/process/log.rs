//! The log and the banner: nobody has to read them, machines can, and they are short.

use super::server::{Ended, Server, bare};
use super::setup::Setup;
use super::shop::{Shop, order};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{PipeReader, Read, Write, pipe};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(240);
/// How long orders may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an end may take; the log is waited for a second of it.
const END_LIMIT: Duration = Duration::from_secs(20);
/// More than a pipe holds.
const PIPE_BYTES: usize = 1024 * 1024;

/// A server whose standard output and standard error are one pipe, which is full.
struct Unread {
    child: Child,
    shop: Shop,
    log: PipeReader,
}

impl Unread {
    async fn start(setup: &Setup) -> Self {
        let (log, writer) = pipe().unwrap();
        let mut filler = writer.try_clone().unwrap();
        // Waits until the pipe is read or closed.
        std::thread::spawn(move || filler.write_all(&[b'\n'; PIPE_BYTES]));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let setup = setup.clone().with_port();
        let mut command = setup.command();
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = command.spawn().unwrap();
        let shop = Shop::at(&format!("http://{}", setup.listen()));
        let server = Self { child, shop, log };
        ready(&server.shop).await;
        server
    }

    /// Asks it to end, and waits until it has.
    async fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < END_LIMIT, "it has not ended within {END_LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until lines of its log were dropped; how many it says.
    async fn drops_lines(&self) -> u64 {
        let begun = Instant::now();
        loop {
            // Each of these is a line of the log, and a long one.
            let ask = || self.shop.request(Method::GET, "/health");
            let asked = (0..100).map(|_| ask().header("x-request-id", "r".repeat(128)).send());
            for answer in join_all(asked).await {
                assert_eq!(answer.unwrap().status(), StatusCode::OK);
            }
            let metrics = self.shop.get("/metrics").await;
            let dropped = metrics.as_str().unwrap().lines().find_map(|line| {
                line.strip_prefix("ordermill_log_lines_dropped_total ")?.parse::<f64>().ok()
            });
            match dropped {
                Some(count) if count > 0.0 => return count as u64,
                _ => assert!(begun.elapsed() < PATIENCE, "no line was dropped: {dropped:?}"),
            }
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(shop: &Shop) {
    let begun = Instant::now();
    loop {
        let answer = shop.once(Method::GET, "/ready", None, None).await;
        if answer.is_ok_and(|(status, _)| status == StatusCode::OK) {
            return;
        }
        assert!(begun.elapsed() < START_LIMIT, "it is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn an_unread_log_delays_nothing(setup: Setup) {
    let setup = setup.with("ORDERMILL_LOG", "debug");
    let mut server = Unread::start(&setup).await;
    let shop = server.shop.clone().waiting_at_most(PATIENCE);
    shop.stock("A", 1_000).await;
    let orders: Vec<_> =
        (0..200).map(|number| order(&number.to_string(), &[("A", 1)], "credit_card")).collect();
    shop.place_all(&orders, 20).await;
    let orders = shop.all_at_rest(PATIENCE).await;
    assert!(orders.len() == 200 && orders.iter().all(|order| order.status == "CONFIRMED"));
    for path in ["/health", "/ready"] {
        shop.get(path).await;
    }
    server.drops_lines().await;
    assert_eq!(server.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_lines_are_reported_once_when_the_reader_is_back() {
    let setup = Setup::embedded().with("ORDERMILL_LOG", "debug");
    let mut server = Unread::start(&setup).await;
    let at_least = server.drops_lines().await;
    let mut log = server.log.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    // It has been read up to here, and goes on.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.terminate().await.code(), Some(0));
    let text = reader.join().unwrap();
    let reports: Vec<_> =
        text.lines().filter(|line| line.contains("log lines were dropped")).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let (_, count) = reports[0].rsplit_once("dropped=").unwrap();
    assert!(count.parse::<u64>().unwrap() >= at_least, "{at_least}: {reports:?}");
    assert!(text.contains("Ordermill takes orders at"), "the banner comes late, but it comes");
    assert!(text.contains(" stopped "), "the end of the log is written");
}

/// All lines, each of which must be one JSON object with a time, a level and a message.
fn objects(text: &str) -> Vec<Value> {
    let object = |line: &str| {
        let object: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for field in ["timestamp", "level", "service", "message"] {
            assert!(object[field].is_string(), "no {field}: {line}");
        }
        object
    };
    text.lines().map(object).collect()
}

fn messages(text: &str) -> Vec<String> {
    objects(text).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

async fn for_machines_every_line_is_one_json_object(setup: Setup) {
    let setup = setup
        .with_port()
        .with("ORDERMILL_LOG", "debug")
        .with("ORDERMILL_LOG_FORMAT", "json")
        .with("ORDERMILL_TYPO", "1")
        .with("ORDERMILL_PANIC", "compensating:1");
    let mut server = setup.launch();
    let shop = server.shop();
    ready(&shop).await;
    shop.stock("A", 1).await;
    let id = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    shop.until(&id, PATIENCE, |order| order.status == "CONFIRMED").await;
    // The first try meets the panic.
    assert!(shop.post(&format!("/orders/{id}/cancel")).await.0.is_success());
    shop.until(&id, PATIENCE, |order| order.status == "CANCELLED").await;
    server.signal("TERM");
    assert_eq!(server.ended(END_LIMIT).await.code(), Some(0));
    let said = messages(&server.log());
    let mut expected = vec!["Ordermill takes orders at", "unknown setting", "stopped"];
    if cfg!(feature = "faults") {
        expected.push("panicked at");
    }
    for words in expected {
        assert!(said.iter().any(|message| message.contains(words)), "{words}: {said:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_machines_what_ends_a_start_is_one_json_object() {
    let setup = Setup::embedded();
    let server = setup.start();
    let failed = setup.clone().with("ORDERMILL_LOG_FORMAT", "json").run(&[]);
    assert!(messages(&failed.stderr).last().unwrap().contains("in use"), "{}", failed.stderr);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(1), ""));
    server.terminate().await;

    let json = ["serve", "--log-format", "json"];
    for wrong in [["--plan", "none"], ["--no-such-flag", "1"]] {
        let ended = Ended::of(bare().args(json).args(wrong));
        let said = messages(&ended.stderr);
        assert!(said.len() == 1 && said[0].contains(wrong[0]), "{said:?}");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
    }
}

/// The lines of this level that name each order.
fn lines_of_orders(server: &Server, level: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    for line in server.log().lines().filter(|line| line.contains(&format!(" {level} "))) {
        if let Some((_, id)) = line.split_once("order_id=") {
            let id = id.split_whitespace().next().unwrap().to_owned();
            lines.entry(id).or_default().push(line.to_owned());
        }
    }
    lines
}

async fn an_order_is_one_line_of_the_log(setup: Setup) {
    for flow in ["orchestrated", "choreographed"] {
        let setup = setup.clone().with("ORDERMILL_LOG", "info").with("ORDERMILL_FLOW", flow);
        let server = setup.start();
        let shop = server.shop();
        let product = flow;
        shop.stock(product, 2).await;
        let place = async |quantity| {
            let id = shop.place(&order("anna", &[(product, quantity)], "credit_card")).await;
            shop.until(&id, PATIENCE, |order| order.is_at_rest()).await;
            id
        };
        let [delivered, cancelled, sold_out] = [place(1).await, place(1).await, place(3).await];
        for (id, step, status) in [
            (&delivered, "dispatch", "SHIPPED"),
            (&delivered, "delivery", "COMPLETED"),
            (&cancelled, "cancel", "CANCELLED"),
        ] {
            assert!(shop.post(&format!("/orders/{id}/{step}")).await.0.is_success());
            shop.until(id, PATIENCE, |order| order.status == status && order.is_at_rest()).await;
        }
        let lines = lines_of_orders(&server, "INFO");
        for id in [delivered, cancelled, sold_out] {
            assert_eq!(lines.get(&id).map(Vec::len), Some(1), "{flow} {id}: {lines:#?}");
        }
        server.terminate().await;
    }
}

everywhere! {
    an_unread_log_delays_nothing
    for_machines_every_line_is_one_json_object
    an_order_is_one_line_of_the_log
}
