//! Addresses of servers that are wrong, and servers that are not there yet: a clear word about which and
//! why, and no secret in it.

use super::closed_port::ClosedPort;
use super::place::with_path;
use super::server::{Ended, Server};
use super::setup::Setup;
use super::shop::order;
use reqwest::{Method, StatusCode, Url};
use std::time::{Duration, Instant};

/// `EX_USAGE` of sysexits.h.
const USAGE: Option<i32> = Some(64);
/// A password that must not be shown.
const SECRET: &str = "hunter2";
/// The longest until a start under way says what it waits for.
const SOON: Duration = Duration::from_secs(20);

/// Checks that it gave up, and said why in these words.
fn refused(ended: &Ended, words: &[&str]) {
    let said = format!("{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(!said.contains(SECRET), "a secret is told: {said}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not in: {said}");
    }
}

fn changed(url: &str, change: impl FnOnce(&mut Url)) -> String {
    let mut url = Url::parse(url).unwrap();
    change(&mut url);
    url.into()
}

fn with_secret(url: &str) -> String {
    changed(url, |url| url.set_password(Some(SECRET)).unwrap())
}

fn with_port(url: &str, port: u16) -> String {
    changed(&with_secret(url), |url| url.set_port(Some(port)).unwrap())
}

fn with_host(url: &str, host: &str) -> String {
    changed(&with_secret(url), |url| url.set_host(Some(host)).unwrap())
}

/// Port 1 is nobody's.
const NOBODYS: u16 = 1;
const NOWHERE: &str = "nowhere.invalid";

async fn an_unreachable_server_is_named(setup: Setup) {
    let setup = setup.with("ORDERMILL_STARTUP_TIMEOUT", "1s");
    let servers = setup.on_servers();
    let (database, broker) = (servers.database_url.as_str(), servers.amqp_url.as_str());
    for (variable, url, words) in [
        ("DATABASE_URL", with_port(database, NOBODYS), ["database", "refused"]),
        ("DATABASE_URL", with_host(database, NOWHERE), ["database", "did not respond"]),
        ("AMQP_URL", with_port(broker, NOBODYS), ["RabbitMQ", "refused"]),
        ("AMQP_URL", with_host(broker, NOWHERE), ["RabbitMQ", "did not respond"]),
    ] {
        let ended = setup.clone().with(variable, &url).run(&[]);
        println!("{variable}: {}", ended.stderr.lines().last().unwrap_or_default());
        refused(&ended, &words);
    }
}

async fn a_server_that_refuses_credentials_is_named(setup: Setup) {
    let setup = setup.with("ORDERMILL_STARTUP_TIMEOUT", "1s");
    let servers = setup.on_servers();
    let (database, broker) = (servers.database_url.as_str(), servers.amqp_url.as_str());
    for (variable, url, words) in [
        ("DATABASE_URL", with_secret(database), ["database", "password"]),
        ("DATABASE_URL", with_path(database, "no_such_database"), ["database", "no_such_database"]),
        ("AMQP_URL", with_secret(broker), ["RabbitMQ", "password"]),
        ("AMQP_URL", with_path(broker, "no_such_vhost"), ["RabbitMQ", "no_such_vhost"]),
    ] {
        let ended = setup.clone().with(variable, &url).run(&[]);
        println!("{variable}: {}", ended.stderr.lines().last().unwrap_or_default());
        refused(&ended, &words);
    }
}

async fn a_schema_that_is_newer_is_named_and_left_alone(setup: Setup) {
    setup.start().terminate().await;
    setup.databases().claims_a_migration_of_the_future("inventory").await;
    let ended = setup.run(&[]);
    refused(&ended, &["inventory", "newer"]);
}

/// While the servers come up one after the other, the process says what it waits for; then it serves.
async fn servers_that_are_late_are_waited_for(setup: Setup) {
    let (database, broker) = {
        let servers = setup.on_servers();
        (servers.database_url.clone(), servers.amqp_url.clone())
    };
    let (database_gate, broker_gate) = (ClosedPort::before(&database), ClosedPort::before(&broker));
    let setup = setup
        .with("DATABASE_URL", &database_gate.url(&database))
        .with("AMQP_URL", &broker_gate.url(&broker))
        .with_port();
    let mut server = setup.launch();
    waits_for(&server, "database").await;
    let shop = server.shop();
    let health = shop.once(Method::GET, "/health", None, None).await.unwrap();
    assert_eq!(health.0, StatusCode::OK, "{}", health.1);
    let refused = shop.once(Method::GET, "/orders", None, None).await.unwrap();
    assert_eq!(refused.0, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.1);
    database_gate.open().await;
    waits_for(&server, "RabbitMQ").await;
    broker_gate.open().await;
    server.serves();
    let ready = shop.once(Method::GET, "/ready", None, None).await.unwrap();
    assert_eq!(ready.0, StatusCode::OK, "{}", ready.1);
    shop.stock("A", 1).await;
    let id = shop.place(&order("customer", &[("A", 1)], "credit_card")).await;
    shop.until(&id, SOON, |order| order.status == "CONFIRMED").await;
    server.terminate().await;
}

async fn waits_for(server: &Server, what: &str) {
    let begun = Instant::now();
    loop {
        let answer = server.shop().once(Method::GET, "/ready", None, None).await;
        if let Ok((StatusCode::SERVICE_UNAVAILABLE, body)) = &answer
            && body["missing"].to_string().contains(what)
        {
            return;
        }
        assert!(begun.elapsed() < SOON, "it does not say that it waits for {what}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_process_that_waits_can_be_stopped(setup: Setup) {
    let broker = setup.on_servers().amqp_url.clone();
    let setup = setup.with("AMQP_URL", &with_port(&broker, NOBODYS)).with_port();
    let mut server = setup.launch();
    waits_for(&server, "RabbitMQ").await;
    server.signal("TERM");
    let status = server.ended(Duration::from_secs(5)).await;
    assert_eq!(status.code(), Some(0), "it was asked to stop");
}

on_servers! {
    an_unreachable_server_is_named
    a_server_that_refuses_credentials_is_named
    a_schema_that_is_newer_is_named_and_left_alone
    servers_that_are_late_are_waited_for
    a_process_that_waits_can_be_stopped
}

#[test]
fn half_of_the_addresses_is_no_infrastructure() {
    let database = "postgres://ordermill:hunter2@127.0.0.1:5432/ordermill";
    let broker = "amqp://ordermill:hunter2@127.0.0.1:5672/%2f";
    for (settings, missing) in [
        (&[("DATABASE_URL", database)][..], "AMQP_URL"),
        (&[("ORDER_DATABASE_URL", database)], "AMQP_URL"),
        (&[("AMQP_URL", broker)], "DATABASE_URL"),
        (&[("AMQP_URL", broker), ("ORDER_DATABASE_URL", database)], "DATABASE_URL"),
        (&[("ORDERMILL_SERVICES", "order,payment")], "AMQP_URL"),
        (&[("DATABASE_URL", broker), ("AMQP_URL", broker)], "DATABASE_URL"),
        (&[("DATABASE_URL", database), ("AMQP_URL", database)], "AMQP_URL"),
        (&[("ORDERMILL_SERVICES", "order,warehouse")], "ORDERMILL_SERVICES"),
    ] {
        let setup = Setup::embedded();
        let setup = settings.iter().fold(setup, |setup, (name, value)| setup.with(name, value));
        let ended = setup.run(&[]);
        assert_eq!(ended.code, USAGE, "{settings:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(missing), "{settings:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains(SECRET), "{settings:?}: {}", ended.stderr);
        assert!(!setup.data().exists(), "{settings:?} has touched the data directory");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_an_api_key() {
    let setup = Setup::embedded().with("ORDERMILL_LISTEN", "0.0.0.0:0");
    let ended = setup.run(&[]);
    assert_eq!(ended.code, USAGE, "{}", ended.stderr);
    for word in ["ORDERMILL_LISTEN", "0.0.0.0:0", "ordermill keys create", "--insecure"] {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
    assert!(!setup.data().exists(), "it has touched the data directory");
}
