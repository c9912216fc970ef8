//! The gateway's key, the link of a page, and what a notification says of the customer and is signed with, stand in no
//! log, at no level, in no error, dead letter, list or audit entry, whatever goes wrong.

use super::forged::notification;
use super::till::{LIMIT, Till};
use super::{ask_refund, is_cancelled};
use crate::process::fake_midtrans::SERVER_KEY;
use crate::process::setup::Setup;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A customer's card, as Midtrans shows it.
const CARD: &str = "481111-1114";
/// A customer's virtual account.
const ACCOUNT: &str = "85249301118842";

/// What goes wrong, one after another: each request is made again until it is answered.
const FAULTS: [(&str, &str); 10] = [
    ("create", "reset_after"),
    ("create", "html"),
    ("create", "half_json"),
    ("status", "reset_before"),
    ("status", "huge"),
    ("status", "status:500"),
    ("status", "other_order"),
    ("status", "new_word"),
    ("refund", "booked_500"),
    ("cancel_page", "status:503"),
];

/// Sends a notification that tells of the customer, signed with this key; returns the signature, and the answer.
async fn notify(till: &Till, order: &str, key: &str) -> (String, String) {
    let mut body = notification(&format!("om-{order}"), "200", "145000.00", key);
    body["masked_card"] = json!(CARD);
    body["va_numbers"] = json!([{"bank": "bca", "va_number": ACCOUNT}]);
    let (status, answer) =
        till.shop().ask(Method::POST, "/webhooks/midtrans", Some(&body), None).await.unwrap();
    assert_eq!(status.as_u16(), if key == SERVER_KEY { 200 } else { 403 }, "{answer}");
    (body["signature_key"].as_str().unwrap().to_owned(), answer.to_string())
}

/// An order that is refunded in part and then cancelled, and one that is cancelled at its page; and their links.
async fn orders(till: &Till) -> BTreeMap<String, String> {
    let shop = till.shop();
    let mut links = BTreeMap::new();
    for is_paid in [true, false] {
        let id = till.place("gopay").await;
        let page = till.page_of(&id).await;
        let order = shop.get(&format!("/orders/{id}")).await;
        links.insert(id.clone(), order["payment"]["payment_url"].as_str().unwrap().to_owned());
        if is_paid {
            assert!(till.fake.customer(&page, "pay", "gopay").await);
            shop.until(&id, LIMIT, |order| order.status == "CONFIRMED").await;
            let line = json!({"lines": [{"product_id": "B", "quantity": 1}]});
            ask_refund(&shop, &id, "one-b", &line).await;
            till.until_payment(&id, |payment| payment["refunded"] == json!(45_000.0)).await;
        }
        shop.post(&format!("/orders/{id}/cancel")).await;
        shop.until(&id, LIMIT, is_cancelled).await;
    }
    links
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_links_and_customers_details_are_shown_nowhere_whatever_goes_wrong() {
    let till = Till::open(&Setup::embedded(), &[("ORDERMILL_LOG", "trace")]).await;
    for (call, fault) in FAULTS {
        till.fake.fault(call, fault).await;
    }
    let links = orders(&till).await;
    let mut secrets = vec![SERVER_KEY.to_owned(), STANDARD.encode(format!("{SERVER_KEY}:"))];
    secrets.extend([CARD, ACCOUNT].map(str::to_owned));
    let mut shown = Vec::new();
    for (id, link) in &links {
        for key in [SERVER_KEY, "SB-Mid-server-of-somebody-else"] {
            let (signature, answer) = notify(&till, id, key).await;
            secrets.push(signature);
            shown.push(answer);
        }
        secrets.push(link.rsplit('/').next().unwrap().to_owned());
        for path in [format!("/audit?order_id={id}"), format!("/orders/{id}/refunds")] {
            shown.push(till.shop().get(&path).await.to_string());
        }
        let path = format!("/admin/notifications?order={id}");
        let notifications = till.shop().get(&path).await;
        assert_ne!(notifications["notifications"], json!([]), "{notifications}");
        shown.push(notifications.to_string());
    }
    for path in ["/orders", "/notifications", "/admin/payments", "/admin/dead-letters", "/ready"] {
        let answer: Value = till.shop().get(path).await;
        shown.push(answer.to_string());
    }
    let log = till.server.as_ref().unwrap().log();
    assert!(log.contains("TRACE") && log.contains("gateway request failed"), "it is not the log");
    shown.push(log);
    for secret in &secrets {
        for text in &shown {
            let at = text.find(secret);
            let around = at.map(|at| text.get(at.saturating_sub(200)..at).unwrap_or_default());
            assert_eq!(around, None, "`{secret}` is shown, after this");
        }
    }
    till.close().await;
}
