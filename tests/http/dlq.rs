//! `ordermill dlq` against a running server.

use super::dead_letters::{place_unreachable, shop_with_sms, store_dead_letter, until};
use ordermill_domain::messages::Queue;
use serde_json::Value;
use std::process::{Command, Stdio};

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn dlq(url: &str, line: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordermill"));
    command.arg("dlq").args(line.split_whitespace()).env("ORDERMILL_URL", url).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    Ended { code: output.status.code(), stdout, stderr }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_and_redriven_from_the_command_line() {
    let shop = shop_with_sms().await;
    let none = dlq(&shop.url, "list").await;
    assert_eq!((none.code, &*none.stdout), (Some(0), "no dead letters\n"));
    shop.stock("chair", 5).await;
    place_unreachable(&shop).await;
    let letters = until(&shop, "", 2).await;

    let table = dlq(&shop.url, "list").await;
    assert_eq!((table.code, table.stdout.lines().count()), (Some(0), 3), "{}", table.stdout);
    let id = letters[0]["id"].as_str().unwrap();
    let line = table.stdout.lines().nth(1).unwrap();
    assert!(line.starts_with(id) && line.contains("notification.sms"), "{line}");
    assert!(line.ends_with("the address is not a telephone number"), "{line}");

    let one = dlq(&shop.url, "list --json --limit 1 --queue notification.sms").await;
    let letter: Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!((&letter, one.code), (&letters[0], Some(0)));
    assert!(one.stderr.contains("--limit"), "{}", one.stderr);
    assert_eq!(dlq(&shop.url, "list --queue order.events").await.stdout, none.stdout);

    let redriven = dlq(&shop.url, &format!("redrive {id}")).await;
    assert_eq!(redriven.stdout, format!("redriven: {id} to notification.sms\n"));
    until(&shop, "", 2).await;
    let all = dlq(&shop.url, "redrive --queue notification.sms").await;
    assert_eq!((all.code, &*all.stdout), (Some(0), "redriven to notification.sms: 2\n"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_command_explains_itself_and_exits_1() {
    let shop = shop_with_sms().await;
    let nobody = "redrive 00000000-0000-0000-0000-000000000001";
    for (line, said) in [
        (nobody, "no service of this process has a dead letter with this id"),
        ("redrive --queue nowhere", "`queue` must be the name of a queue"),
        ("list --queue nowhere", "`queue` must be the name of a queue"),
    ] {
        let ended = dlq(&shop.url, line).await;
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{line}");
        assert!(ended.stderr.contains(said), "{line}: {}", ended.stderr);
    }
    let url = shop.url.clone();
    shop.close().await;
    let ended = dlq(&url, "list").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no server responds at"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&url), "{}", ended.stderr);
    let wrong = dlq(&url, "redrive").await;
    assert_eq!(wrong.code, Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_discarded_with_a_reason() {
    let shop = shop_with_sms().await;
    let poison = store_dead_letter(&shop, 1, Queue::NotificationSms, "{").await;
    store_dead_letter(&shop, 2, Queue::NotificationSms, "{").await;
    let none = dlq(&shop.url, "list --discarded").await;
    assert_eq!((none.code, &*none.stdout), (Some(0), "no discarded dead letters\n"));

    let missing = dlq(&shop.url, &format!("discard {poison}")).await;
    assert_eq!(missing.code, Some(64), "{}", missing.stderr);
    let done = dlq(&shop.url, &format!("discard {poison} --reason poison")).await;
    let said = format!("discarded: {poison} of notification.sms\n");
    assert_eq!((done.code, done.stdout), (Some(0), said));
    let again = dlq(&shop.url, &format!("discard {poison} --reason poison")).await;
    assert_eq!(again.code, Some(1));
    let rest = dlq(&shop.url, "discard --queue notification.sms --reason script").await;
    assert_eq!((rest.code, &*rest.stdout), (Some(0), "discarded from notification.sms: 1\n"));

    let table = dlq(&shop.url, "list --discarded").await;
    assert_eq!(table.stdout.lines().count(), 3, "{}", table.stdout);
    assert!(table.stdout.contains("REASON") && table.stdout.contains("poison"), "{}", table.stdout);
    let listed = dlq(&shop.url, "list --discarded --json --limit 1").await;
    let entry: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(entry["reason"], "script");
    shop.close().await;
}
