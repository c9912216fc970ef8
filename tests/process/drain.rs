//! Between the signal to stop and the end: not ready, but still served. And what the service manager is told of it.

use super::server::Server;
use super::setup::Setup;
use super::shop::order;
use reqwest::{Method, StatusCode};
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// The longest that orders may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(30);
/// Longer than any test waits.
const LONG: &str = "10m";

async fn is_ready(server: &Server) -> bool {
    let (status, answer) = server.shop().once(Method::GET, "/ready", None, None).await.unwrap();
    assert_eq!(answer["ready"], status == StatusCode::OK, "{answer}");
    status == StatusCode::OK
}

async fn until_not_ready(server: &Server) {
    let until = Instant::now() + Duration::from_secs(10);
    while is_ready(server).await {
        assert!(Instant::now() < until, "it drains, and is ready still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_server_that_drains_is_not_ready_and_takes_orders(setup: Setup) {
    let delay = Duration::from_secs(4);
    let mut server = setup.clone().with("ORDERMILL_DRAIN_DELAY", "4s").start();
    let shop = server.shop();
    shop.stock("A", 10).await;
    assert!(is_ready(&server).await);
    let begun = Instant::now();
    server.signal("TERM");
    until_not_ready(&server).await;
    let id = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    assert!(server.runs());
    let status = server.ended(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(0));
    assert!(begun.elapsed() >= delay, "it ended after {:?}", begun.elapsed());
    let server = setup.start();
    server.shop().until(&id, REST_LIMIT, |order| order.status == "CONFIRMED").await;
    server.terminate().await;
}

async fn a_second_signal_ends_the_draining(setup: Setup) {
    let mut server = setup.with("ORDERMILL_DRAIN_DELAY", LONG).start();
    server.signal("TERM");
    until_not_ready(&server).await;
    server.signal("TERM");
    let status = server.ended(Duration::from_secs(25)).await;
    assert_eq!(status.code(), Some(0), "it ends in good order all the same");
}

everywhere! {
    a_server_that_drains_is_not_ready_and_takes_orders a_second_signal_ends_the_draining
}

fn received(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).expect("the service manager is told something");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_is_told_that_it_is_ready_lives_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut server = Setup::embedded()
        .with("ORDERMILL_DRAIN_DELAY", LONG)
        .with("NOTIFY_SOCKET", path.to_str().unwrap())
        .with("WATCHDOG_USEC", "200000")
        .start();
    assert_eq!(received(&socket), format!("READY=1\nSTATUS=takes orders at {}/orders", server.url));
    for _ in 0..3 {
        assert_eq!(received(&socket), "WATCHDOG=1");
    }
    server.signal("TERM");
    let mut told = std::iter::repeat_with(|| received(&socket));
    let state = told.find(|state| state != "WATCHDOG=1");
    assert_eq!(state.as_deref(), Some("STOPPING=1\nSTATUS=stopping"));
    server.signal("TERM");
    assert_eq!(server.ended(Duration::from_secs(25)).await.code(), Some(0));
}
