//! Payments at a gateway over HTTP, as customers and the shop's people go through them: a fake Midtrans in a process
//! of its own, whose page is paid, whose notifications come, and which is asked for refunds.

#[cfg(feature = "faults")]
mod crashes;
pub mod forged;
mod secrets;
mod till;

use super::fake_midtrans::SERVER_KEY;
use super::setup::Setup;
use super::shop::{Order, Shop, failure, order};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use till::{FLOWS, LIMIT, TOTAL, Till};

/// How long a page can be paid at that nobody pays at.
const SHORT: &str = "1s";

fn is_cancelled(order: &Order) -> bool {
    order.status == "CANCELLED" && order.is_at_rest()
}

async fn ask_refund(shop: &Shop, id: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let path = format!("/orders/{id}/refunds");
    shop.ask(Method::POST, &path, Some(body), Some(key)).await.unwrap()
}

async fn a_customer_pays_and_gets_a_line_back(setup: Setup) {
    let mut till = Till::open(&setup, &[]).await;
    for flow in FLOWS {
        till = till.restart(&[flow]).await;
        let shop = till.shop();
        let id = till.place("gopay").await;
        let page = till.page_of(&id).await;
        assert!(till.fake.customer(&page, "pay", "gopay").await);
        shop.until(&id, LIMIT, |order| order.status == "CONFIRMED").await;
        let payment = till.payment(&id).await;
        assert_eq!(payment["status"], "APPROVED", "{payment}");
        assert_eq!(payment["captured"], json!(145_000.0), "{payment}");
        assert!(payment.get("payment_url").is_none(), "it is paid: {payment}");

        let line = json!({"lines": [{"product_id": "B", "quantity": 1}], "reason": "scratched"});
        let (status, first) = ask_refund(&shop, &id, "one-b", &line).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{first}");
        let (status, again) = ask_refund(&shop, &id, "one-b", &line).await;
        assert_eq!((status, &again["refund_id"]), (StatusCode::ACCEPTED, &first["refund_id"]));
        let (status, more) = ask_refund(&shop, &id, "another-b", &line).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "there was one B: {more}");
        till.until_payment(&id, |payment| payment["refunded"] == json!(45_000.0)).await;
        let refunds = format!("/orders/{id}/refunds");
        shop.until_so(LIMIT, &refunds, |list| list["refunds"][0]["status"] == "DONE").await;

        for status in ["pending", "success"] {
            let told = format!(
                "/notifications?order_id={id}&customer_id=ani&type=payment.status.updated.{status}"
            );
            let once =
                |list: &Value| list["notifications"].as_array().is_some_and(|l| l.len() == 1);
            shop.until_so(LIMIT, &told, once).await;
        }
        assert_eq!(shop.order(&id).await.status, "CONFIRMED", "the order goes on");
        assert_eq!(till.fake.paid_and_refunded(&id).await, (TOTAL, 45_000));
        assert_eq!(till.fake.of_order("pages", &id).await.len(), 1);
        let transactions = till.fake.of_order("transactions", &id).await;
        assert_eq!(transactions[0]["refunds"].as_array().unwrap().len(), 1);
    }
    till.close().await;
}

async fn a_confirmed_order_that_is_cancelled_is_paid_back(setup: Setup) {
    let mut till = Till::open(&setup, &[]).await;
    for flow in FLOWS {
        till = till.restart(&[flow]).await;
        let id = till.paid("gopay").await;
        let (status, answer) = till.shop().post(&format!("/orders/{id}/cancel")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        till.shop().until(&id, LIMIT, is_cancelled).await;
        assert_eq!(till.fake.paid_and_refunded(&id).await, (TOTAL, TOTAL));
        assert_eq!(till.payment(&id).await["refunded"], json!(145_000.0));
    }
    till.close().await;
}

async fn an_order_that_is_cancelled_at_its_page_cannot_be_paid(setup: Setup) {
    let mut till = Till::open(&setup, &[]).await;
    for flow in FLOWS {
        till = till.restart(&[flow]).await;
        let shop = till.shop();
        let id = till.place("gopay").await;
        let page = till.page_of(&id).await;
        let (status, answer) = shop.post(&format!("/orders/{id}/cancel")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let order = shop.until(&id, LIMIT, is_cancelled).await;
        assert!(failure(&order).starts_with("customer"), "{order:?}");
        assert!(!till.fake.customer(&page, "pay", "gopay").await, "the page is cancelled");
        assert!(till.payment(&id).await.get("payment_url").is_none());
        assert_eq!(shop.stock_rows().await["A"].reserved_qty, 0);

        // A bank that lets the customer pay all the same.
        till.fake.fault("pay", "late").await;
        assert!(till.fake.customer(&page, "pay", "gopay").await);
        till.until_payment(&id, |payment| payment["refunded"] == json!(145_000.0)).await;
        let payment = till.payment(&id).await;
        assert_eq!(payment["attention"], "late_money", "{payment}");
        assert_eq!(till.fake.paid_and_refunded(&id).await, (TOTAL, TOTAL));
        assert_eq!(shop.order(&id).await.status, "CANCELLED");
    }
    till.close().await;
}

async fn another_amount_than_was_asked_for_goes_back(setup: Setup) {
    let mut till = Till::open(&setup, &[]).await;
    for flow in FLOWS {
        till = till.restart(&[flow]).await;
        let id = till.place("gopay").await;
        let page = till.page_of(&id).await;
        till.fake.fault("pay", "unexplained_fee:5000").await;
        assert!(till.fake.customer(&page, "pay", "gopay").await);
        let order = till.shop().until(&id, LIMIT, is_cancelled).await;
        assert_eq!(failure(&order), "payment: wrong_amount");
        assert_eq!(till.fake.paid_and_refunded(&id).await, (TOTAL + 5_000, TOTAL + 5_000));
    }
    till.close().await;
}

async fn what_cannot_be_refunded_by_api_waits_for_a_person(setup: Setup) {
    let till = Till::open(&setup, &[]).await;
    let shop = till.shop();
    let id = till.paid("bank_transfer").await;
    let by_hand = format!("/admin/payments/{id}/by-hand");
    let done = json!({"done": "refund", "note": "BCA transfer 2026-11-30 #88"});
    let (status, answer) = shop.ask(Method::POST, &by_hand, Some(&done), None).await.unwrap();
    assert_eq!(status, StatusCode::CONFLICT, "nothing is to be done by hand yet: {answer}");
    shop.post(&format!("/orders/{id}/cancel")).await;
    let order = shop.until(&id, LIMIT, |order| order.saga.status == "FAILED").await;
    assert_eq!(till.payment(&id).await["attention"], "refund_by_hand", "{order:?}");
    let short = json!({"done": "refund", "note": "done"});
    let (status, answer) = shop.ask(Method::POST, &by_hand, Some(&short), None).await.unwrap();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let (status, answer) = shop.ask(Method::POST, &by_hand, Some(&done), None).await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    shop.until(&id, LIMIT, is_cancelled).await;
    let payment = till.payment(&id).await;
    assert_eq!(payment["refunded"], json!(145_000.0), "{payment}");
    assert_eq!(payment["attention"], Value::Null, "the matter is closed: {payment}");
    till.close().await;
}

async fn a_payment_in_review_waits_for_a_ruling(setup: Setup) {
    let till = Till::open(&setup, &[]).await;
    let shop = till.shop();
    for (ruling, end) in [("accept", "CONFIRMED"), ("deny", "CANCELLED")] {
        let id = till.place("credit_card").await;
        let page = till.page_of(&id).await;
        assert!(till.fake.customer(&page, "challenge", "credit_card").await);
        till.until_payment(&id, |payment| payment["status"] == "IN_REVIEW").await;
        let (path, body) = (format!("/admin/payments/{id}/review"), json!({"ruling": ruling}));
        let (status, answer) = shop.ask(Method::POST, &path, Some(&body), None).await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let order = shop.until(&id, LIMIT, Order::is_at_rest).await;
        assert_eq!(order.status, end, "{order:?}");
        let (paid, refunded) = till.fake.paid_and_refunded(&id).await;
        assert_eq!(paid - refunded, if ruling == "accept" { TOTAL } else { 0 });
        if ruling == "deny" {
            assert_eq!(failure(&order), "payment: review");
            assert!(!till.fake.customer(&page, "pay", "gopay").await, "the page is cancelled");
        }
    }
    till.close().await;
}

async fn a_bank_that_takes_its_money_back_ends_the_order(setup: Setup) {
    let till = Till::open(&setup, &[]).await;
    let id = till.paid("bank_transfer").await;
    let transaction = till.fake.of_order("transactions", &id).await.remove(0);
    till.fake.bank(transaction["transaction_id"].as_str().unwrap(), "reverse").await;
    let order = till.shop().until(&id, LIMIT, is_cancelled).await;
    assert_eq!(failure(&order), "payment: reverted");
    assert_eq!(till.shop().stock_rows().await["A"].reserved_qty, 0);
    till.close().await;
}

/// A gateway that refuses the key is asked every half minute; a process that is alone asks it when it starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_stops_the_gateway_and_declines_no_order() {
    let till =
        Till::open(&Setup::embedded(), &[("MIDTRANS_SERVER_KEY", "SB-Mid-server-old")]).await;
    let shop = till.shop();
    let id = till.place("gopay").await;
    let warns = |ready: &Value| ready["warnings"].to_string().contains("midtrans");
    shop.until_so(LIMIT, "/ready", warns).await;
    let dollars = shop.place(&order("ani", &[("A", 1)], "credit_card")).await;
    shop.until(&dollars, LIMIT, |order| order.status == "CONFIRMED").await;
    let order = shop.order(&id).await;
    assert!(!order.is_at_rest() && order.failure.is_none(), "{order:?}");

    let till = till.restart(&[("MIDTRANS_SERVER_KEY", SERVER_KEY)]).await;
    let page = till.page_of(&id).await;
    assert!(till.fake.customer(&page, "pay", "gopay").await);
    till.shop().until(&id, LIMIT, |order| order.status == "CONFIRMED").await;
    assert!(!warns(&till.shop().get("/ready").await));
    till.close().await;
}

/// At the simulated gateway: a page at Midtrans lives for five minutes at least.
async fn a_page_that_nobody_pays_at_ends_its_order(setup: Setup) {
    for (name, value) in FLOWS {
        let setup = setup.clone().with(name, value).with("ORDERMILL_PAYMENT_WINDOW", SHORT);
        let server = setup.start();
        let shop = server.shop();
        shop.stock(value, 10).await;
        let id = shop.place(&order("ani", &[(value, 1)], "test_redirect")).await;
        let path = format!("/orders/{id}?wait=payment_url&timeout=5s");
        let url = shop.get(&path).await["payment"]["payment_url"].clone();
        let url = url.as_str().expect("it has a page").to_owned();
        let ended = shop.until(&id, LIMIT, is_cancelled).await;
        assert_eq!(failure(&ended), "payment: expired");
        assert_eq!(shop.stock_rows().await[value].reserved_qty, 0);
        let pays = reqwest::Client::new().post(url).body("choice=pay").send().await.unwrap();
        assert_eq!(pays.status(), StatusCode::GONE);
        server.terminate().await;
    }
}

everywhere! {
    a_customer_pays_and_gets_a_line_back
    a_confirmed_order_that_is_cancelled_is_paid_back
    an_order_that_is_cancelled_at_its_page_cannot_be_paid
    another_amount_than_was_asked_for_goes_back
    what_cannot_be_refunded_by_api_waits_for_a_person
    a_payment_in_review_waits_for_a_ruling
    a_bank_that_takes_its_money_back_ends_the_order
    a_page_that_nobody_pays_at_ends_its_order
}
