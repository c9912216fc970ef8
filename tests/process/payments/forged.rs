//! Notifications that nobody genuine has sent as they are: forged, varied where the signature does not look, sent
//! again and again. They change nothing, and fill no table.
//!
//! `ORDERMILL_TEST_NOTIFICATIONS` sets how many are sent.

use super::till::{LIMIT, Till};
use super::{ask_refund, is_cancelled};
use crate::process::fake_midtrans::SERVER_KEY;
use crate::process::random::Random;
use crate::process::setup::Setup;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

/// Notifications that are sent when nothing else is asked for.
const NOTIFICATIONS: usize = 2_000;
/// Notifications that are on their way at a time.
const AT_A_TIME: usize = 50;
/// Rows that a payment may have.
const ROWS_MAX: usize = 50;
/// Looks at the gateway that a payment may have beside one for each second: its own, when something happens to it.
const LOOKS_MAX: u64 = 10;

/// What the signature says of each kind, and so the answer.
const KINDS: [(&str, u16); 8] = [
    ("replayed", 200),
    ("varied", 200),
    ("claims a settlement", 200),
    ("of another shop", 200),
    ("without a key", 403),
    ("with another key", 403),
    ("with a moved border", 400),
    ("broken", 400),
];

/// What a notification's signature covers, and the rest that it does not.
pub fn notification(order: &str, code: &str, amount: &str, key: &str) -> Value {
    let digest = Sha512::digest(format!("{order}{code}{amount}{key}"));
    let signature = digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    json!({
        "order_id": order, "status_code": code, "gross_amount": amount, "signature_key": signature,
        "transaction_id": "b2c7a0de-0000-4000-8000-000000000001", "currency": "IDR",
        "transaction_status": "pending", "payment_type": "gopay", "fraud_status": "accept",
        "transaction_time": "2026-11-30 10:00:00",
    })
}

/// One of a kind, about one of these orders.
fn written(kind: &str, orders: &[String], random: &mut Random) -> String {
    let order = &orders[random.within(0, orders.len() as u64) as usize];
    let name = format!("om-{order}");
    let codes = ["200", "201", "202"];
    let code = codes[random.within(0, codes.len() as u64) as usize];
    let genuine = notification(&name, code, "145000.00", SERVER_KEY);
    let mut body = genuine.clone();
    match kind {
        "varied" => {
            let words = ["settlement", "deny", "expire", "refund", "capture", "nonsense"];
            let word = words[random.within(0, words.len() as u64) as usize];
            body["transaction_status"] = json!(word);
            body["currency"] = json!(["IDR", "USD"][random.within(0, 2) as usize]);
            body["transaction_id"] = json!(format!("{:016x}", random.next()));
            body["refund_amount"] = json!(format!("{}.00", random.within(1, 200_000)));
        }
        "claims a settlement" => {
            body = notification(&name, "201", "145000.00", SERVER_KEY);
            body["transaction_status"] = json!("settlement");
            body["settlement_time"] = json!(format!("{}", random.next()));
        }
        "of another shop" => {
            let other = format!("shop-{}", random.within(0, 3));
            body = notification(&other, code, "145000.00", SERVER_KEY);
            body["transaction_id"] = json!(format!("{:016x}", random.next()));
        }
        "without a key" => {
            body["signature_key"] = json!(format!("{:0128x}", random.next()));
            body["transaction_status"] = json!("settlement");
        }
        "with another key" => {
            body = notification(&name, "200", "145000.00", "SB-Mid-server-another-merchant");
        }
        "with a moved border" => {
            body = notification(&name, "200", "145000.00", SERVER_KEY);
            body["order_id"] = json!(format!("{name}2"));
            body["status_code"] = json!("00");
        }
        _ => {}
    }
    let text = body.to_string();
    match kind {
        "broken" => text[..random.within(1, text.len() as u64) as usize].to_owned(),
        _ => text,
    }
}

/// Everything that must not change: the orders with their payments and refunds, and what the gateway was asked to do.
async fn seen(till: &Till, orders: &[String]) -> Vec<Value> {
    let shop = till.shop();
    let mut seen = Vec::new();
    for id in orders {
        seen.push(shop.get(&format!("/orders/{id}")).await);
        seen.push(shop.get(&format!("/orders/{id}/refunds")).await);
    }
    let mut state = till.fake.state().await;
    state["requests"].as_object_mut().unwrap().remove("status");
    seen.push(state);
    seen
}

/// Orders whose payments are awaited, captured, refunded in part, and reversed.
async fn orders(till: &Till) -> Vec<String> {
    let shop = till.shop();
    let awaited = till.place("gopay").await;
    till.page_of(&awaited).await;
    let captured = till.paid("gopay").await;
    let refunded = till.paid("gopay").await;
    let line = json!({"lines": [{"product_id": "B", "quantity": 1}]});
    ask_refund(&shop, &refunded, "one-b", &line).await;
    let refunds = format!("/orders/{refunded}/refunds");
    shop.until_so(LIMIT, &refunds, |list| list["refunds"][0]["status"] == "DONE").await;
    till.until_payment(&refunded, |payment| payment["refunded"] == json!(45_000.0)).await;
    let cancelled = till.paid("gopay").await;
    shop.post(&format!("/orders/{cancelled}/cancel")).await;
    shop.until(&cancelled, LIMIT, is_cancelled).await;
    vec![awaited, captured, refunded, cancelled]
}

/// Sends one: the HTTP status of the answer.
async fn send(http: &reqwest::Client, url: &str, body: String) -> u16 {
    let request = http.post(url).header("content-type", "application/json").body(body);
    request.send().await.unwrap().status().as_u16()
}

async fn notifications_alone_change_nothing(setup: Setup) {
    let count = std::env::var("ORDERMILL_TEST_NOTIFICATIONS");
    let count = count.map_or(NOTIFICATIONS, |count| count.parse().unwrap());
    let till = Till::open(&setup, &[]).await;
    let orders = orders(&till).await;
    let (before, looks_before) = (seen(&till, &orders).await, till.fake.asked("status").await);

    let mut random = Random(0xF0E6);
    let (http, url) =
        (reqwest::Client::new(), format!("{}/webhooks/midtrans", till.shop().urls()[0]));
    let bodies = (0..count).map(|number| {
        let (kind, due) = KINDS[number % KINDS.len()];
        (kind, due, written(kind, &orders, &mut random))
    });
    let begun = Instant::now();
    let answers = stream::iter(bodies).map(|(kind, due, body)| {
        let (http, url) = (&http, &url);
        async move { (kind, due, send(http, url, body).await) }
    });
    let wrong: Vec<_> = answers
        .buffer_unordered(AT_A_TIME)
        .filter(|(_, due, status)| std::future::ready(due != status))
        .collect()
        .await;
    let lasted = begun.elapsed();
    assert!(wrong.is_empty(), "{} wrong answers: {:?}", wrong.len(), &wrong[..wrong.len().min(9)]);

    assert_eq!(seen(&till, &orders).await, before);
    let looks = till.fake.asked("status").await - looks_before;
    let looks_max = orders.len() as u64 * (lasted.as_secs() + 1 + LOOKS_MAX);
    assert!(looks <= looks_max, "{looks} looks in {lasted:?}");
    let rows = "SELECT reference FROM payment_notifications";
    let rows = till.setup.databases().rows::<1>("payment", rows).await;
    let mut stored = BTreeMap::<_, usize>::new();
    rows.iter().for_each(|[reference]| *stored.entry(reference).or_default() += 1);
    assert!(stored.values().all(|rows| *rows <= ROWS_MAX), "{stored:?}");
    println!(
        "{count} notifications in {lasted:.1?}, {:.0}/s; {} rows, {looks} looks",
        count as f64 / lasted.as_secs_f64(),
        rows.len()
    );
    till.close().await;
}

everywhere! { notifications_alone_change_nothing }
