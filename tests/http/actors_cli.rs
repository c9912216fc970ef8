//! `ordermill actors` against a running server.

use super::support::{Shop, order};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

fn command(url: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordermill"));
    command.arg("actors").args(line.split_whitespace());
    command.env("ORDERMILL_URL", url).stdin(Stdio::null());
    command
}

async fn actors(url: &str, line: &str) -> (Option<i32>, String) {
    let mut command = command(url, line);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let Output { status, stdout, stderr } = output;
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_printed_as_far_as_one_asks() {
    let shop = Shop::open().await;
    for number in 0..3 {
        shop.stock(&format!("p{number}"), 5).await;
        let placed = shop.place(&order(&format!("p{number}"), 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    shop.ask("/admin/actors/order%2Frelay/restart").await.expect(202);
    let restarted = |view: &serde_json::Value| {
        let totals = &view["totals"];
        totals["restarts"] == 1 && totals["by_status"]["running"] == totals["actors"]
    };
    shop.wait("/admin/actors?depth=0", restarted).await;

    let (code, all) = actors(&shop.url, "").await;
    assert_eq!(code, Some(0), "{all}");
    for line in ["├─ http", "│  └─ skus", "│     └─ sku/p2", "order/journal"] {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
    let relay = all.lines().find(|line| line.contains("order/relay")).unwrap();
    assert!(relay.contains("running") && relay.contains("restarted by an operator"), "{relay}");
    let (_, few) = actors(&shop.url, "--under skus --limit 2").await;
    assert!(few.contains("sku/p1") && !few.contains("sku/p2") && few.contains("… 1 more"), "{few}");
    let (_, none) = actors(&shop.url, "--status quarantined").await;
    assert!(none.ends_with("no actor matches the filters\n") && none.contains("3 sku"), "{none}");
    for (bad, why) in [("--status ill", "must be one of"), ("--under nobody", "`under` must be")] {
        let (code, said) = actors(&shop.url, bad).await;
        assert!(code == Some(1) && said.contains(why), "{bad}: {code:?} {said}");
    }
    let (code, said) = actors("http://127.0.0.1:1", "--watch").await;
    assert!(code == Some(1) && said.contains("no server responds"), "{said}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_tree_is_drawn_again_until_it_is_interrupted() {
    let shop = Shop::open().await;
    let mut watching =
        command(&shop.url, "--watch --depth 1").stdout(Stdio::piped()).spawn().unwrap();
    let watched = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(watching.stdout.take().unwrap());
        let mut drawn = 0;
        while drawn < 3 {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended by itself");
            drawn += usize::from(line.starts_with("ordermill "));
        }
        let pid = watching.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        watching.wait().unwrap()
    });
    assert_eq!(watched.await.unwrap().code(), Some(0), "Ctrl-C is how one ends it");
    shop.close().await;
}
