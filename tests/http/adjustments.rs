//! Adjustments and the stock ledger.

use super::support::{Shop, order, send};
use reqwest::Method;
use serde_json::{Value, json};

fn arrived(delta: i64) -> Value {
    json!({ "delta": delta, "reason": "delivery 4711" })
}

async fn keyed(shop: &Shop, path: &str, key: &str, body: &Value) -> super::support::ShopResponse {
    send(shop.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

/// Ten cups, four orders, and five cups arrive: nine can be sold, and fifteen stand in stock. Set by whoever
/// has read ten before, it would be fifteen and four more.
#[tokio::test(flavor = "multi_thread")]
async fn adjustments_during_reservations_are_counted_right() {
    let shop = Shop::open().await;
    shop.stock("cup", 10).await;
    let seen = shop.get("/inventory/cup").await.expect(200);
    let tag = seen.header("etag").to_owned();
    assert_eq!(tag, r#""1""#);
    for _ in 0..4 {
        let placed = shop.place(&order("cup", 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    let set = shop
        .request(Method::PUT, "/inventory/cup")
        .header("If-Match", tag)
        .json(&json!({ "available_qty": 15 }));
    let problem = send(set).await.problem(412);
    assert!(problem["detail"].as_str().unwrap().contains("4 reserved"), "{problem}");
    let adjusted = shop.post("/inventory/cup/adjustments", &arrived(5)).await.expect(200).json();
    let units = |view: &Value| (view["on_hand"].clone(), view["available_qty"].clone());
    assert_eq!(units(&adjusted), (json!(15), json!(11)));
    assert_eq!(units(&shop.get("/inventory/cup").await.json()), (json!(15), json!(11)));
    // Four are reserved: twelve cannot be gone.
    let broken = json!({ "delta": -12, "reason": "broken" });
    let refused = shop.post("/inventory/cup/adjustments", &broken).await.problem(409);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("on hand: 15") && detail.contains("reserved: 4"), "{detail}");
    shop.post("/inventory/cup/adjustments", &arrived(-11)).await.expect(200);
    assert_eq!(units(&shop.get("/inventory/cup").await.json()), (json!(4), json!(0)));
    shop.post("/inventory/none/adjustments", &arrived(1)).await.problem(404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_adjusts_once() {
    let shop = Shop::open().await;
    shop.stock("cup", 10).await;
    let path = "/inventory/cup/adjustments";
    let first = keyed(&shop, path, "k-1", &arrived(5)).await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), "");
    shop.post(path, &arrived(1)).await.expect(200);
    let again = keyed(&shop, path, "k-1", &json!({ "reason": "delivery 4711", "delta": 5 })).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(200).json(), first.json(), "the same answer, whatever came since");
    keyed(&shop, path, "k-1", &arrived(6)).await.fault(422, "Idempotency-Key");
    shop.stock("saucer", 1).await;
    let other = keyed(&shop, "/inventory/saucer/adjustments", "k-1", &arrived(5)).await;
    other.fault(422, "Idempotency-Key");
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 16);
    let shop = shop.reopen().await;
    keyed(&shop, path, "k-1", &arrived(5)).await.expect(200);
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 16);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_says_of_each_product_what_became_of_it() {
    let shop = Shop::open().await;
    shop.stock("cup", 1).await;
    shop.stock("saucer", 1).await;
    let one = |product: &str, delta: i64| json!({ "product_id": product, "delta": delta, "reason": "count" });
    let body =
        json!({ "adjustments": [one("cup", 4), one("none", 1), one("saucer", -2), one("cup", 5)] });
    let answer = keyed(&shop, "/inventory/adjustments", "i-1", &body).await.expect(207);
    let view = answer.json();
    assert_eq!((&view["applied"], &view["refused"]), (&json!(2), &json!(2)));
    let outcomes: Vec<_> =
        view["results"].as_array().unwrap().iter().map(|r| &r["outcome"]).collect();
    assert_eq!(outcomes, ["adjusted", "unknown_product", "below_reserved", "adjusted"]);
    assert_eq!(view["results"][0]["stock"]["on_hand"], 10, "as the import left it");
    let again = keyed(&shop, "/inventory/adjustments", "i-1", &body).await.expect(207);
    assert_eq!((again.header("idempotent-replayed"), again.json()), ("true", view));
    let less = json!({ "adjustments": [one("cup", 4)] });
    keyed(&shop, "/inventory/adjustments", "i-1", &less).await.fault(422, "Idempotency-Key");
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 10);

    let long = "x".repeat(200);
    let many = |n: usize| {
        let all = (0..n).map(|_| json!({ "product_id": "cup", "delta": 1, "reason": long }));
        json!({ "adjustments": all.collect::<Vec<_>>() })
    };
    shop.post("/inventory/adjustments", &many(1_000)).await.expect(200);
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 1_010);
    shop.post("/inventory/adjustments", &many(1_001)).await.fault(422, "adjustments");
    shop.post("/inventory/adjustments", &many(0)).await.fault(422, "adjustments");
    shop.post("/inventory/adjustments", &many(5_000)).await.problem(413);
    let faulty = json!({ "adjustments": [one("cup", 1), one("cup", 0)] });
    shop.post("/inventory/adjustments", &faulty).await.fault(422, "adjustments[1].delta");
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 1_010, "none of it");
    // The address of imports is no product's.
    let taken = json!({ "product_id": "adjustments", "available_qty": 1 });
    shop.post("/inventory", &taken).await.fault(422, "product_id");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_adjustment_changes_nothing() {
    let shop = Shop::open().await;
    shop.stock("cup", 1).await;
    let path = "/inventory/cup/adjustments";
    for (delta, reason, field) in [
        (json!(0), json!("x"), "delta"),
        (json!(1.5), json!("x"), "delta"),
        (json!(1_000_000_000_001_i64), json!("x"), "delta"),
        (json!(1), json!(""), "reason"),
        (json!(1), json!("x".repeat(201)), "reason"),
        (json!(1), json!("a\nb"), "reason"),
    ] {
        let body = json!({ "delta": delta, "reason": reason });
        shop.post(path, &body).await.fault(422, field);
    }
    shop.post(path, &json!({ "delta": "5", "reason": "x" })).await.fault(400, "delta");
    shop.post(path, &json!({ "delta": 5 })).await.fault(400, "reason");
    shop.post(path, &json!({ "delta": 1_000_000_000_000_i64, "reason": "x" })).await.problem(409);
    keyed(&shop, path, "a key", &arrived(1)).await.fault(400, "Idempotency-Key");
    assert_eq!(shop.get("/inventory/cup").await.json()["version"], 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_what_moved_the_stock() {
    let shop = Shop::open().await;
    shop.stock("cup", 10).await;
    let kept = shop.place(&order("cup", 2)).await;
    shop.until(&kept, "CONFIRMED").await;
    shop.ask(&format!("/orders/{kept}/dispatch")).await.expect(202);
    shop.until(&kept, "SHIPPED").await;
    let path = "/inventory/cup/movements";
    let of = |view: &Value, kind: &str| {
        view["movements"].as_array().unwrap().iter().any(|movement| movement["type"] == kind)
    };
    shop.wait(path, |view| of(view, "committed")).await;
    let undone = shop.place(&order("cup", 3)).await;
    shop.until(&undone, "CONFIRMED").await;
    shop.ask(&format!("/orders/{undone}/cancel")).await.expect(202);
    shop.until(&undone, "CANCELLED").await;
    shop.post("/inventory/cup/adjustments", &arrived(5)).await.expect(200);
    shop.send_text(Method::PUT, "/inventory/cup", r#"{"available_qty": 1}"#).await.expect(200);
    let ledger = shop.get(path).await.expect(200).json();
    let movements = ledger["movements"].as_array().unwrap();
    let told: Vec<_> = movements
        .iter()
        .map(|m| {
            let number = |name: &str| m[name].as_i64().unwrap();
            let kind = m["type"].as_str().unwrap();
            let deltas = (number("on_hand_delta"), number("reserved_delta"));
            (kind, deltas, (number("on_hand"), number("reserved_qty")), m["order_id"].as_str())
        })
        .collect();
    let (kept, undone) = (Some(kept.as_str()), Some(undone.as_str()));
    assert_eq!(
        told,
        [
            ("set", (-12, 0), (1, 0), None),
            ("adjusted", (5, 0), (13, 0), None),
            ("released", (0, -3), (8, 0), undone),
            ("reserved", (0, 3), (8, 3), undone),
            ("committed", (-2, -2), (8, 0), kept),
            ("reserved", (0, 2), (10, 2), kept),
            ("created", (10, 0), (10, 0), None),
        ]
    );
    assert_eq!(movements[1]["reason"], "delivery 4711");
    assert_eq!(ledger["next_cursor"], Value::Null);
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let page = shop.get(&format!("{path}?limit=2{next}")).await.expect(200).json();
        paged.extend(page["movements"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(&paged, movements);
    shop.get(&format!("{path}?cursor=eA")).await.fault(400, "cursor");
    shop.get("/inventory/none/movements").await.problem(404);
    shop.close().await;
}
