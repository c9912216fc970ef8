//! Secrets in files: read at the start and on SIGHUP, and shown nowhere.

use super::fake_midtrans::SERVER_KEY;
use super::payments::forged::notification;
use super::server::{Ended, Server, bare};
use super::setup::Setup;
use reqwest::Method;
use std::path::Path;
use std::time::{Duration, Instant};

/// Stands in every password of these tests.
const MARKER: &str = "hunter2";
/// A key that replaces another one.
const NEXT_KEY: &str = "SB-Mid-server-hunter2";

async fn until_logged(server: &Server, words: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while !server.log().contains(words) {
        assert!(Instant::now() < until, "`{words}` is not in: {}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_in_files_are_used_and_shown_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    // Port 1 is nobody's.
    let file = |name: &str, value: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("{value}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let database = file("database", &format!("postgres://shop:{MARKER}@127.0.0.1:1/shop"));
    let amqp = file("amqp", &format!("amqp://shop:{MARKER}@127.0.0.1:1/shop"));
    let setup = Setup::embedded()
        .with_port()
        .with("ORDERMILL_LOG", "trace")
        .with("DATABASE_URL_FILE", &database)
        .with("AMQP_URL_FILE", &amqp);
    let server = setup.launch();
    until_logged(&server, "waiting for the order database").await;
    let (_, answer) = server.shop().once(Method::GET, "/ready", None, None).await.unwrap();
    assert!(!answer.to_string().contains(MARKER), "{answer}");
    assert!(!server.log().contains(MARKER), "{}", server.log());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
    server.kill9();
    let help = Ended::of(bare().env("DATABASE_URL_FILE", &database).arg("--help"));
    assert!(help.stdout.contains("DATABASE_URL_FILE"), "{}", help.stdout);
    assert!(!help.stdout.contains(&database) && !help.stdout.contains(MARKER), "{}", help.stdout);
}

#[test]
fn a_file_that_cannot_be_read_ends_it() {
    let setup = Setup::embedded().with("DATABASE_URL", "postgres://h/d");
    let ended = setup.with("AMQP_URL_FILE", "/nowhere/amqp").run(&[]);
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    assert!(ended.stderr.contains("AMQP_URL_FILE (--amqp-url-file): the file `/nowhere/amqp`"));
    assert!(!ended.stderr.contains("required"), "it counts as set: {}", ended.stderr);
}

/// Posts a notification that is signed with a key: whether it is taken.
async fn is_taken(server: &Server, key: &str) -> bool {
    let body = notification("payment_notif_test_1", "200", "145000.00", key);
    let posted = server.shop().once(Method::POST, "/webhooks/midtrans", Some(&body), None).await;
    let (status, answer) = posted.unwrap();
    assert!([200, 403].contains(&status.as_u16()), "{status} {answer}");
    status == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_has_the_keys_of_midtrans_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let write = |key: &str| std::fs::write(&path, key).unwrap();
    write(SERVER_KEY);
    let server = Setup::embedded()
        .with("ORDERMILL_LOG", "info")
        .with("MIDTRANS_SERVER_KEY_FILE", as_text(&path))
        .start();
    assert!(is_taken(&server, SERVER_KEY).await && !is_taken(&server, NEXT_KEY).await);

    write(NEXT_KEY);
    server.signal("HUP");
    until_logged(&server, "the server keys of Midtrans have changed").await;
    assert!(is_taken(&server, NEXT_KEY).await && !is_taken(&server, SERVER_KEY).await);

    write("");
    server.signal("HUP");
    until_logged(&server, "reading secrets again failed").await;
    assert!(is_taken(&server, NEXT_KEY).await, "the key in use stays");
    assert!(!server.log().contains(MARKER), "{}", server.log());
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_files_a_hangup_ends_it() {
    let mut server = Setup::embedded().start();
    server.signal("HUP");
    assert_eq!(server.ended(Duration::from_secs(5)).await.code(), None, "ended by the signal");
}

fn as_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
