//! Refunds, what a person decides about a payment, and webhooks: against a payment service that answers as it is told.

use super::support::{Shop, ShopResponse, order, send, with};
use async_trait::async_trait;
use ordermill::app::{App, Boot};
use ordermill::config::Config;
use ordermill_actors::payment::{
    NotificationRefused, NotificationTaken, PaymentRequests, RequestError,
};
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    GatewayRoutes, NotificationError, PaymentRequest, Provider, Refund, RefundStatus, RefundWhat,
    RequestRefused,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Takes every refund once by its id, of at most 100.00; other requests are refused as their note says.
#[derive(Default)]
struct Payments {
    refunds: Mutex<Vec<Refund>>,
}

#[async_trait]
impl PaymentRequests for Payments {
    async fn notification(
        &self,
        _: Provider,
        body: &[u8],
    ) -> Result<NotificationTaken, NotificationRefused> {
        match body {
            b"{}" => Ok(NotificationTaken::Stored),
            _ => Err(NotificationError::Forged.into()),
        }
    }

    async fn request(
        &self,
        _: OrderId,
        request: PaymentRequest,
    ) -> Result<Option<Refund>, RequestError> {
        match request {
            PaymentRequest::Refund(asked) => {
                let mut refunds = self.refunds.lock().unwrap();
                let known = refunds.iter().find(|refund| refund.refund_id == asked.refund_id);
                if let Some(known) = known {
                    let is_same = known.what == asked.what;
                    return if is_same { Ok(Some(known.clone())) } else { Err(invalid()) };
                }
                let amount_minor = match &asked.what {
                    RefundWhat::Lines(lines) => 4990 * i64::from(lines[0].quantity),
                    RefundWhat::Amount(minor) => *minor,
                    RefundWhat::Rest => 1,
                };
                let at = "2026-03-02T10:00:00Z".parse().unwrap();
                let refund = Refund {
                    refund_id: asked.refund_id,
                    what: asked.what,
                    amount_minor,
                    reason: asked.reason,
                    status: RefundStatus::Asked,
                    refused: None,
                    asked_at: at,
                    changed_at: at,
                };
                refunds.push(refund.clone());
                Ok(Some(refund))
            }
            PaymentRequest::Review(_) => {
                Err(RequestRefused::Conflict("the payment is not in review".into()).into())
            }
            PaymentRequest::RefundedByHand { note } if note.contains("unknown") => {
                Err(RequestRefused::NotFound.into())
            }
            PaymentRequest::RefundedByHand { note } if note.contains("away") => {
                Err(RequestError::Unavailable)
            }
            PaymentRequest::RefundedByHand { .. } => Ok(None),
        }
    }

    async fn refunds(&self, _: OrderId) -> Result<Vec<Refund>, RequestError> {
        Ok(self.refunds.lock().unwrap().clone())
    }
}

fn invalid() -> RequestError {
    let (field, text) = ("Idempotency-Key".into(), "was used for another refund".into());
    RequestRefused::Invalid { field, text }.into()
}

async fn shop(set: impl FnOnce(&mut Config)) -> Shop {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::for_testing(directory.path());
    set(&mut config);
    let boot = Arc::new(Boot::new(Duration::from_secs(60)));
    let payments: Arc<dyn PaymentRequests> = Arc::new(Payments::default());
    let app = App::start_with(config, boot, Some(payments)).await.unwrap();
    Shop::running(app, directory)
}

async fn refund(shop: &Shop, order: &str, key: &str, body: &Value) -> ShopResponse {
    let path = format!("/orders/{order}/refunds");
    send(shop.request(Method::POST, &path).header("Idempotency-Key", key).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_an_order_is_refunded_once_a_key() {
    let shop = shop(|_| {}).await;
    shop.stock("mug", 10).await;
    let placed = shop.place(&order("mug", 2)).await;
    shop.until(&placed, "CONFIRMED").await;
    let line = |quantity: u64| json!({ "lines": [{ "product_id": "mug", "quantity": quantity }] });
    let first = refund(&shop, &placed, "r-1", &line(1)).await.expect(202).json();
    assert_eq!((&first["amount"], &first["currency"]), (&json!(49.9), &json!("USD")));
    assert_eq!(first["lines"], json!([{ "product_id": "mug", "quantity": 1 }]));
    let again = refund(&shop, &placed, "r-1", &line(1)).await.expect(202).json();
    assert_eq!(again, first);
    refund(&shop, &placed, "r-1", &line(2)).await.fault(422, "Idempotency-Key");
    let amount = refund(&shop, &placed, "r-2", &json!({ "amount": "10.00" })).await;
    assert_eq!(amount.expect(202).json()["amount"], 10.0);
    refund(&shop, &placed, "r-3", &json!({ "rest": true })).await.expect(202);
    let listed = shop.get(&format!("/orders/{placed}/refunds")).await.expect(200).json();
    assert_eq!(listed["refunds"].as_array().unwrap().len(), 3);
    assert_eq!(listed["refunds"][0], first);

    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    shop.until(&placed, "CANCELLED").await;
    refund(&shop, &placed, "r-4", &line(1)).await.problem(409);
    let again = refund(&shop, &placed, "r-1", &line(1)).await.expect(202);
    assert_eq!(again.json(), first, "answered as the first time");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_malformed_or_too_early_is_refused() {
    let shop = shop(|_| {}).await;
    shop.stock("mug", 10).await;
    let placed = shop.place(&order("mug", 2)).await;
    shop.until(&placed, "CONFIRMED").await;
    let path = format!("/orders/{placed}/refunds");
    let rest = json!({ "rest": true });
    shop.post(&path, &rest).await.fault(400, "Idempotency-Key");
    for (body, status, field) in [
        (json!({}), 422, "lines"),
        (json!({ "rest": false }), 422, "rest"),
        (json!({ "rest": true, "amount": "1" }), 422, "amount"),
        (json!({ "amount": "0" }), 422, "amount"),
        (json!({ "amount": "1.005" }), 422, "amount"),
        (json!({ "lines": [] }), 422, "lines"),
        (json!({ "lines": [{ "product_id": "cup", "quantity": 1 }] }), 422, "lines[0].product_id"),
        (json!({ "lines": [{ "product_id": "mug", "quantity": 3 }] }), 422, "lines[0].quantity"),
        (json!({ "lines": [{ "product_id": "mug", "quantity": 0 }] }), 422, "lines[0].quantity"),
        (json!({ "rest": true, "reason": "x".repeat(201) }), 422, "reason"),
        (json!({ "rest": true, "reasn": "x" }), 400, "reasn"),
    ] {
        refund(&shop, &placed, "r", &body).await.fault(status, field);
    }
    let nobody = "00000000-0000-7000-8000-000000000000";
    refund(&shop, nobody, "r", &rest).await.problem(404);
    shop.get(&format!("/orders/{nobody}/refunds")).await.problem(404);
    refund(&shop, "1", "r", &rest).await.fault(400, "order_id");
    let declined =
        shop.place(&with(order("mug", 1), "/payment_method", json!("test_declined"))).await;
    shop.until(&declined, "CANCELLED").await;
    refund(&shop, &declined, "r", &rest).await.problem(409);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_what_was_done_and_rules() {
    let shop = shop(|_| {}).await;
    let order = "00000000-0000-7000-8000-000000000001";
    let path = format!("/admin/payments/{order}/by-hand");
    let by_hand = |note: &str| json!({ "done": "refund", "note": note });
    let taken = shop.post(&path, &by_hand("BCA transfer #88")).await.expect(202).json();
    assert_eq!(taken["order_id"], order);
    for note in ["BCA #88", "       x", &"x".repeat(201), ""] {
        shop.post(&path, &by_hand(note)).await.fault(422, "note");
    }
    shop.post(&path, &json!({ "done": "capture", "note": "BCA transfer" }))
        .await
        .fault(400, "done");
    shop.post(&path, &by_hand("unknown order")).await.problem(404);
    let away = shop.post(&path, &by_hand("gone away")).await;
    assert_eq!(away.header("retry-after"), "5");
    away.problem(503);
    let path = format!("/admin/payments/{order}/review");
    shop.post(&path, &json!({ "ruling": "accept" })).await.problem(409);
    shop.post(&path, &json!({ "ruling": "maybe" })).await.fault(400, "ruling");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_on_the_main_listener_unless_they_have_their_own() {
    let main = shop(|_| {}).await;
    for path in ["/webhooks/midtrans", "/api/v1/payments/webhook"] {
        assert_eq!(main.post(path, &json!({})).await.expect(200).json(), json!({ "status": "ok" }));
        main.post(path, &json!([])).await.problem(403);
        assert_eq!(main.get(path).await.expect(405).header("allow"), "POST");
    }
    let counted = main.get("/metrics").await.text;
    let taken = r#"ordermill_payment_notifications_total{provider="midtrans",outcome="taken"}"#;
    assert!(counted.contains(taken), "{taken} is not counted");
    main.close().await;

    let listen = "127.0.0.1:0".parse().unwrap();
    let mut own = shop(|config| config.webhook_listen = Some(listen)).await;
    for path in ["/webhooks/midtrans", "/api/v1/payments/webhook"] {
        own.post(path, &json!({})).await.problem(404);
    }
    let url = own.webhook_url();
    let client = Client::new();
    let posted = send(client.post(format!("{url}/webhooks/midtrans")).json(&json!({}))).await;
    posted.expect(200);
    send(client.get(format!("{url}/health"))).await.expect(200);
    for path in ["orders", "ready", "metrics", "admin/sagas"] {
        send(client.get(format!("{url}/{path}"))).await.expect(404);
    }
    assert!(own.stop_app().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_ask_for_payments_that_their_gateway_can_make() {
    let routes = GatewayRoutes::parse("midtrans:IDR; simulated:EUR").unwrap();
    let shop = shop(|config| config.gateways.routes = routes).await;
    shop.stock("mug", 10).await;
    let rupiah = |price: &str, method: &str| {
        let placed = with(order("mug", 1), "/currency", json!("IDR"));
        let placed = with(placed, "/items/0/unit_price", json!(price));
        with(placed, "/payment_method", json!(method))
    };
    shop.post("/orders", &order("mug", 1)).await.fault(422, "currency");
    shop.post("/orders", &rupiah("145000.50", "gopay")).await.fault(422, "items[0].unit_price");
    let lines = |quantity: u64, prices: [&str; 2]| {
        let [mug, cup] = prices;
        let items = json!([
            { "product_id": "mug", "quantity": quantity, "unit_price": mug },
            { "product_id": "cup", "quantity": quantity, "unit_price": cup },
        ]);
        with(rupiah("1", "gopay"), "/items", items)
    };
    // The total is whole; each line may be refunded alone.
    let problem = shop.post("/orders", &lines(1, ["0.50", "1.50"])).await;
    let problem = problem.fault(422, "items[0].unit_price");
    assert_eq!(problem["errors"][1]["field"], "items[1].unit_price", "{problem}");
    let problem = shop.post("/orders", &lines(2, ["1", "0.25"])).await;
    let problem = problem.fault(422, "items[1].unit_price");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    for method in ["paypal", "card", "test_declined"] {
        let problem = shop.post("/orders", &rupiah("145000", method)).await;
        let problem = problem.fault(422, "payment_method");
        assert!(problem["detail"].as_str().unwrap().contains("cstore"), "{problem}");
    }
    let short = json!({ "user_id": 1, "product_id": "mug", "quantity": 1, "currency": "IDR",
        "total_amount": "0.50" });
    shop.post("/orders", &short).await.fault(422, "total_amount");
    shop.post("/orders", &with(order("mug", 1), "/currency", json!("EUR"))).await.expect(201);
    shop.close().await;
}
