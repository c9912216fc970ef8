//! Starts that cannot succeed: a clear word about why, no panic, and nobody else is disturbed.

use super::server::{Ended, may_write_anywhere};
use super::setup::Setup;
use super::shop::order;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Checks that it did not start, and said why in these words.
fn refused(ended: &Ended, words: &[&str]) {
    let said = &ended.stderr;
    assert_eq!(ended.code, Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_is_one_servers_own() {
    let setup = Setup::embedded();
    let mut server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1).await;
    let ended = setup.clone().with("ORDERMILL_LOG", "info").run(&[]);
    assert!(!ended.stderr.contains("listening"), "it cannot serve: {}", ended.stderr);
    refused(&ended, &["in use", &server.pid().to_string(), setup.data().to_str().unwrap()]);
    assert!(server.runs());
    let id = shop.place(&order("customer", &[("A", 1)], "credit_card")).await;
    shop.until(&id, Duration::from_secs(10), |order| order.status == "CONFIRMED").await;
    server.terminate().await;
    setup.start().terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named() {
    let server = Setup::embedded().start();
    let address = server.url.trim_start_matches("http://").to_owned();
    let ended = Setup::embedded().with("ORDERMILL_LISTEN", &address).run(&[]);
    refused(&ended, &["ORDERMILL_LISTEN", &address]);
    server.terminate().await;
}

#[test]
fn a_file_is_no_data_directory() {
    let setup = Setup::embedded();
    std::fs::write(setup.data(), "something else").unwrap();
    refused(
        &setup.run(&[]),
        &["data directory", setup.data().to_str().unwrap(), "is not a directory"],
    );
    assert_eq!(std::fs::read_to_string(setup.data()).unwrap(), "something else");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_refused() {
    let setup = Setup::embedded();
    std::fs::create_dir(setup.data()).unwrap();
    std::fs::set_permissions(setup.data(), PermissionsExt::from_mode(0o555)).unwrap();
    if may_write_anywhere(&setup.data()) {
        eprintln!("not tested: this user may write everywhere");
        return;
    }
    refused(&setup.run(&[]), &["data directory", setup.data().to_str().unwrap()]);
}

#[test]
fn a_file_that_is_no_database_is_named_and_kept() {
    for name in ["order", "inventory", "gateway"] {
        let setup = Setup::embedded();
        std::fs::create_dir(setup.data()).unwrap();
        let file = setup.data().join(format!("{name}.db"));
        let garbage = b"these are not the orders you are looking for\n".repeat(400);
        std::fs::write(&file, &garbage).unwrap();
        refused(&setup.run(&[]), &[file.to_str().unwrap()]);
        assert_eq!(std::fs::read(&file).unwrap(), garbage, "{name} was written to");
    }
}
