//! The benchmark, small: that it runs, balances, and says what it should. Its figures are nobody's business here.

use super::server::Ended;
use super::setup::Setup;
use serde_json::Value;
use std::time::Duration;

/// The longest that one of them may take: on servers it waits for PostgreSQL's statistics, twice.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a benchmark where the place is, and reads the figures that it has written.
async fn measured(setup: &Setup, arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("figures.json");
    let mut command = setup.lab();
    command.arg("bench").args(arguments).arg("--json").arg(&file);
    let ended = tokio::task::spawn_blocking(move || Ended::within(PATIENCE, &mut command));
    let Ended { code, stdout, stderr } = ended.await.unwrap();
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn number(figures: &Value, path: &str) -> f64 {
    figures.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {figures:#}"))
}

/// What each order must have cost at least, whatever the machine.
fn costs_are_told(figures: &Value) {
    assert!(number(figures, "/costs/cpu_us/server") > 0.0, "{figures:#}");
    assert!(number(figures, "/costs/cpu_us/load generator") > 0.0, "{figures:#}");
    assert!(number(figures, "/costs/deliveries") > 0.0, "{figures:#}");
    assert!(number(figures, "/costs/rows") >= 5.0, "{figures:#}");
    assert!(number(figures, "/costs/rows_by_table/inventory.reservations") >= 1.0, "{figures:#}");
}

async fn orders_in_a_closed_loop(setup: Setup) {
    let arguments = ["--orders", "200", "--clients", "4", "--lines", "2", "--warmup", "200ms"];
    let figures = measured(&setup, &arguments).await;
    assert_eq!(number(&figures, "/accepted"), 200.0);
    assert_eq!(number(&figures, "/post/count"), 200.0);
    assert_eq!(number(&figures, "/post_to_confirmed/count"), 200.0);
    assert!(number(&figures, "/settled_per_s") > 0.0);
    let [post, confirmed] =
        ["/post/p50_ms", "/post_to_confirmed/p50_ms"].map(|path| number(&figures, path));
    assert!(post > 0.0 && confirmed > 0.0, "{figures:#}");
    assert!(number(&figures, "/compared") >= 100.0);
    costs_are_told(&figures);
}

async fn orders_in_an_open_loop(setup: Setup) {
    let arguments = ["orders", "--rate", "50", "--duration", "2s", "--warmup", "0s"];
    let figures = measured(&setup, &arguments).await;
    let [accepted, refused] = ["/accepted", "/turned_away"].map(|path| number(&figures, path));
    assert_eq!(accepted + refused, 100.0, "each arrival is answered: {figures:#}");
}

async fn a_flash_sale(setup: Setup) {
    let arguments = ["flash-sale", "--buyers", "200", "--units", "10", "--clients", "20"];
    let figures = measured(&setup, &arguments).await;
    assert_eq!(number(&figures, "/confirmed"), 10.0);
    assert_eq!(number(&figures, "/refused"), 190.0);
    costs_are_told(&figures);
}

everywhere! {
    orders_in_a_closed_loop
    orders_in_an_open_loop
    a_flash_sale;
    a_hot_product
}

async fn a_hot_product(setup: Setup) {
    let figures = measured(&setup, &["hot-sku", "--clients", "1,4", "--seconds", "1"]).await;
    for way in ["service", "for_update", "optimistic"] {
        for row in ["/rows/0", "/rows/1"] {
            assert!(number(&figures, &format!("{row}/{way}")) > 0.0, "{way}: {figures:#}");
        }
    }
}

#[test]
fn a_hot_product_says_what_it_needs() {
    let ended = Ended::of(Setup::embedded().lab().args(["bench", "hot-sku"]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("set DATABASE_URL"), "{}", ended.stderr);
}

#[test]
fn a_running_server_is_measured_and_left_running() {
    let mut server = Setup::embedded().start();
    let url = server.url.clone();
    let arguments = ["bench", "--url", &url, "--orders", "20", "--clients", "2", "--warmup", "0s"];
    let ended = Ended::of(Setup::embedded().lab().args(arguments));
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("20 orders"), "{}", ended.stdout);
    assert!(server.runs());
}
