//! What may hold a secret is never shown: not in an error, not in the log, not in the help, not over HTTP.

use super::server::{Ended, bare, bare_lab};
use super::setup::Setup;
use super::shop::Shop;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// Stands in every password of these tests.
const MARKER: &str = "hunter2";

/// Every setting that may hold a password, its flag, and the scheme of its addresses.
const SETTINGS: [(&str, &str, &str); 10] = [
    ("DATABASE_URL", "--database-url", "postgres"),
    ("AMQP_URL", "--amqp-url", "amqp"),
    ("ORDER_DATABASE_URL", "--order-database-url", "postgres"),
    ("INVENTORY_DATABASE_URL", "--inventory-database-url", "postgres"),
    ("PAYMENT_DATABASE_URL", "--payment-database-url", "postgres"),
    ("GATEWAY_DATABASE_URL", "--gateway-database-url", "postgres"),
    ("SHIPPING_DATABASE_URL", "--shipping-database-url", "postgres"),
    ("NOTIFICATION_DATABASE_URL", "--notification-database-url", "postgres"),
    ("AUDIT_DATABASE_URL", "--audit-database-url", "postgres"),
    ("ORDERMILL_SMTP_URL", "--smtp-url", "smtp"),
];

/// Malformed addresses; `{}` stands for the scheme, `*` for the password.
const MALFORMED: [&str; 17] = [
    "*",
    "u:*@host/name",
    "{}:*",
    "{}://",
    "{}://u:*@",
    "http://u:*@host/name",
    "{}://u:*@host:port/name",
    "{}://u:*@one/a,{}://u:*@two/b",
    "{}://u:*@one:1,two:2/a",
    "{}://u:*@one,two/a",
    "{}://u:12/*@host/name",
    "{}://u:12?*@host/name",
    "{}://u:12#*@host/name",
    "{}://u%3A*@host/name",
    "{}://u%3A*%40host/name",
    "{}://u:*@host/name?parameter=*",
    "{}://u:*@host /name",
];

fn malformed(scheme: &str) -> impl Iterator<Item = String> {
    MALFORMED.iter().map(move |text| text.replace("{}", scheme).replace('*', MARKER))
}

#[track_caller]
fn silent(what: &str, ended: &Ended) {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains(MARKER), "{what}: {said}");
    assert!(!said.contains("panicked"), "{what}: {said}");
}

#[test]
fn a_malformed_address_is_refused_without_a_part_of_it() {
    for (variable, flag, scheme) in SETTINGS {
        for value in malformed(scheme) {
            let set = |by: &str| {
                let mut command = bare();
                command.env("ORDERMILL_MAIL_FROM", "shop@example.com");
                match by {
                    "variable" => command.env(variable, &value),
                    "flag" => command.arg(format!("{flag}={value}")),
                    "two words" => command.args([flag, &value]),
                    _ => command.args(["serve", flag, &value]),
                };
                command
            };
            for by in ["variable", "flag", "two words", "serve"] {
                let ended = Ended::of(&mut set(by));
                let what = format!("{variable}={value} by {by}");
                silent(&what, &ended);
                assert_eq!(ended.code, Some(64), "{what}: {}", ended.stderr);
                assert!(ended.stderr.contains(variable), "{what}: {}", ended.stderr);
            }
        }
    }
}

#[test]
fn neither_help_nor_a_slip_on_the_command_line_shows_an_address() {
    let address = format!("postgres://u:{MARKER}@host/name");
    for (variable, flag, _) in SETTINGS {
        let help = Ended::of(bare().env(variable, &address).arg("--help"));
        silent(variable, &help);
        assert!(help.stdout.contains(variable), "{}", help.stdout);
        let misspelt = flag.replace("-url", "_url");
        for arguments in [
            vec![format!("{misspelt}={address}")],
            vec![misspelt.clone(), address.clone()],
            vec![flag.to_owned(), String::new(), address.clone()],
            vec![address.clone()],
            vec!["serve".to_owned(), address.clone()],
            vec!["dlq".to_owned(), "redrive".to_owned(), address.clone()],
        ] {
            let ended = Ended::of(bare().args(&arguments));
            silent(&format!("{arguments:?}"), &ended);
            assert_eq!(ended.code, Some(64), "{arguments:?}: {}", ended.stderr);
        }
    }
    for command in [&["actors"][..], &["dlq", "list"], &["actors", "--help"], &["dlq", "--help"]] {
        for url in [format!("http://u:{MARKER}@127.0.0.1:1"), format!("http://u:{MARKER}@h/x")] {
            let ended = Ended::of(bare().args(command).env("ORDERMILL_URL", &url));
            silent(&format!("{command:?} at {url}"), &ended);
        }
    }
    for (mut program, command) in
        [(bare_lab(), &["bench", "hot-sku"][..]), (bare(), &["demo"]), (bare_lab(), &["bench"])]
    {
        program.args(command);
        for value in malformed("postgres") {
            let ended = Ended::of(program.env("DATABASE_URL", &value));
            silent(&format!("{command:?} on {value}"), &ended);
            assert_eq!(ended.code, Some(64), "{command:?} on {value}: {}", ended.stderr);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_shows_no_password_at_any_log_level() {
    // Port 1 is nobody's.
    let setup = Setup::embedded()
        .with_port()
        .with("ORDERMILL_LOG", "trace")
        .with("DATABASE_URL", &format!("postgres://shop:{MARKER}@127.0.0.1:1/shop"))
        .with("AMQP_URL", &format!("amqp://shop:{MARKER}@127.0.0.1:1/shop"))
        .with("ORDERMILL_SMTP_URL", &format!("smtp://shop:{MARKER}@127.0.0.1:1"))
        .with("ORDERMILL_MAIL_FROM", "shop@example.com");
    let server = setup.launch();
    let shop = server.shop();
    let until = Instant::now() + Duration::from_secs(30);
    while !server.log().contains("waiting for the order database") {
        assert!(Instant::now() < until, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for path in ["/ready", "/health", "/orders"] {
        let (_, answer) = shop.once(Method::GET, path, None, None).await.unwrap();
        let text = answer.to_string();
        assert!(!text.contains(MARKER), "{path}: {text}");
    }
    assert!(!server.log().contains(MARKER), "{}", server.log());
    server.kill9();
}

/// The number of a card, as people paste it.
const CARD: &str = "4111111111111111";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_number_in_place_of_a_payment_method_is_kept_nowhere() {
    let setup = Setup::embedded().with("ORDERMILL_LOG", "trace");
    let server = setup.start();
    let shop: Shop = server.shop();
    shop.stock("A", 1).await;
    for method in
        [json!(CARD), json!(4_111_111_111_111_111_u64), json!([CARD]), json!({ "n": CARD })]
    {
        let body = json!({
            "customer_id": "ann", "payment_method": method,
            "items": [{ "product_id": "A", "quantity": 1, "unit_price": 1 }],
        });
        for key in [None, Some("once")] {
            let (status, answer) =
                shop.once(Method::POST, "/orders", Some(&body), key).await.unwrap();
            let text = answer.to_string();
            assert!([400, 422].contains(&status.as_u16()), "{text}");
            assert!(!text.contains(CARD), "{text}");
        }
    }
    assert!(!server.log().contains(CARD), "it is logged");
    server.terminate().await;
    for file in std::fs::read_dir(setup.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(CARD.len()).any(|window| window == CARD.as_bytes());
        assert!(!found, "it is stored");
    }
}
