//! /admin/reconciliation: what `ordermill check` reads, and what it asks for.

use super::support::{Shop, order};
use serde_json::{Value, json};

const NOBODY: &str = "0190d6e8-0000-7000-8000-000000000000";

fn records(answer: &Value) -> &Vec<Value> {
    answer["records"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_says_what_it_has_of_an_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 2)).await;
    shop.until(&placed, "CONFIRMED").await;
    let overview = shop.get("/admin/reconciliation").await.expect(200).json();
    let kinds: Vec<_> = records(&overview).iter().map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 8);
    let told = format!("/notifications?order_id={placed}");
    shop.wait(&told, |view| view["notifications"].as_array().unwrap().len() == 2).await;
    for kind in kinds.into_iter().filter(|kind| *kind != "products") {
        let path = format!("/admin/reconciliation/{kind}");
        let all = shop.get(&path).await.expect(200).json();
        assert_eq!(records(&all).len(), 1, "{kind}: {all}");
        assert_eq!(records(&all)[0]["order_id"], placed.as_str(), "{kind}: {all}");
        let rest = shop.get(&format!("{path}?after={placed}")).await.expect(200).json();
        assert!(records(&rest).is_empty(), "{kind}: {rest}");
        let until = shop.get(&format!("{path}?until={NOBODY}")).await.expect(200).json();
        assert!(records(&until).is_empty(), "{kind}: {until}");
    }
    let products = shop.get("/admin/reconciliation/products").await.expect(200).json();
    let expected = json!({
        "product_id": "chair", "on_hand": 5, "reserved": 2, "claimed": 2, "version": 2,
        "ledger": { "version": 2, "on_hand": 5, "reserved": 2 },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&records(&products)[0][name], value, "{products}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_query_is_refused() {
    let shop = Shop::open().await;
    shop.get("/admin/reconciliation/parcels").await.fault(400, "records");
    shop.get("/admin/reconciliation/orders?after=x").await.fault(400, "order_id");
    shop.get("/admin/reconciliation/orders?limit=1001").await.fault(400, "limit");
    shop.get("/admin/reconciliation/products?limit=0").await.fault(400, "limit");
    let path = "/admin/reconciliation/repairs";
    let many = vec![NOBODY; 101];
    for orders in [json!([]), json!(many)] {
        let answer = shop.post(path, &json!({ "order_ids": orders })).await;
        answer.fault(422, "order_ids");
    }
    let answer = shop.post(path, &json!({ "order_ids": [NOBODY] })).await;
    assert_eq!(answer.expect(200).json(), json!({ "restated": 0, "unknown": [NOBODY] }));
    shop.close().await;
}

/// Restating changes nothing where everything was heard.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_restated_is_as_it_was() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.ask(&format!("/orders/{placed}/dispatch")).await.expect(202);
    shop.until(&placed, "SHIPPED").await;
    let cancelled = shop.place(&order("chair", 1)).await;
    shop.until(&cancelled, "CONFIRMED").await;
    shop.ask(&format!("/orders/{cancelled}/cancel")).await.expect(202);
    shop.until(&cancelled, "CANCELLED").await;
    let told = format!("/notifications?order_id={cancelled}");
    shop.wait(&told, |view| view["notifications"].as_array().unwrap().len() == 3).await;
    let paths =
        ["orders", "reservations", "payments", "ledger", "shipments", "audit", "notifications"];
    let mut before = Vec::new();
    for path in paths {
        before.push(shop.get(&format!("/admin/reconciliation/{path}")).await.expect(200).json());
    }
    let request = json!({ "order_ids": [placed, cancelled] });
    let answer = shop.post("/admin/reconciliation/repairs", &request).await;
    assert_eq!(answer.expect(200).json()["restated"], 2);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    for (path, before) in paths.iter().zip(before) {
        let now = shop.get(&format!("/admin/reconciliation/{path}")).await.expect(200).json();
        assert_eq!(now, before, "{path}");
    }
    let dead = shop.get("/admin/dead-letters").await.expect(200).json();
    assert!(dead["dead_letters"].as_array().unwrap().is_empty(), "{dead}");
    shop.close().await;
}
