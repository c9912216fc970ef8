//! Commands around a server: its health, its databases, its version.

use super::server::{Ended, bare};
use super::setup::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_that_of_the_server_on_the_port_of_the_settings() {
    let setup = Setup::embedded().with_port();
    let url = format!("http://{}", setup.listen());
    for command in [&["health"][..], &["health", "--ready"]] {
        let ended = setup.run(command);
        assert_eq!(ended.code, Some(1), "{command:?}: {}", ended.stdout);
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("no server responds at {url}")), "{}", ended.stderr);
    }
    let server = setup.start();
    for (command, line) in [
        (&["health"][..], format!("alive: {url}/health\n")),
        (&["health", "--ready"], format!("ready: {url}/ready\n")),
        (&["health", "--url", &url], format!("alive: {url}/health\n")),
    ] {
        let ended = setup.run(command);
        assert_eq!((ended.code, &ended.stdout), (Some(0), &line), "{command:?}: {}", ended.stderr);
    }
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_its_databases_is_alive_and_not_ready() {
    // Port 1 is nobody's.
    let setup = Setup::embedded()
        .with_port()
        .with("DATABASE_URL", "postgres://shop@127.0.0.1:1/shop")
        .with("AMQP_URL", "amqp://127.0.0.1:1");
    let server = setup.launch();
    while setup.run(&["health"]).code != Some(0) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let ended = setup.run(&["health", "--ready"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("not ready: the order database"), "{}", ended.stderr);
    server.kill9();
}

async fn databases_are_migrated_apart_from_serving(setup: Setup) {
    for _ in 0..2 {
        let ended = setup.run(&["migrate"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.starts_with("the databases of order, inventory"), "{}", ended.stdout);
        assert!(ended.stdout.contains("are up to date"), "{}", ended.stdout);
    }
    let server = setup.with("ORDERMILL_MIGRATE", "off").start();
    server.shop().stock("A", 1).await;
    server.terminate().await;
}

async fn a_schema_that_is_behind_is_refused(setup: Setup) {
    let ended = setup.with("ORDERMILL_MIGRATE", "off").run(&[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    for words in ["lacks migration 201", "ORDERMILL_MIGRATE", "ordermill migrate"] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

everywhere! { databases_are_migrated_apart_from_serving; a_schema_that_is_behind_is_refused }

#[test]
fn the_version_names_commit_and_build() {
    let version = env!("CARGO_PKG_VERSION");
    let long = Ended::of(bare().arg("--version"));
    assert_eq!(long.code, Some(0));
    let lines: Vec<_> = long.stdout.lines().collect();
    assert_eq!(lines[0], format!("ordermill {version}"));
    for (line, name) in lines[1..].iter().zip(["commit", "build", "target"]) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert!(words.len() == 2 && words[0] == name, "{}", long.stdout);
    }
    assert_eq!(lines.len(), 4, "{}", long.stdout);
    assert_eq!(Ended::of(bare().arg("-V")).stdout.trim(), format!("ordermill {version}"));
}
