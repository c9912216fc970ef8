//! Sagas and actors, for operators.

use super::support::{Shop, order};
use serde_json::Value;

fn names(actors: &Value, found: &mut Vec<(String, u64)>) {
    for actor in actors.as_array().unwrap() {
        let restarts = actor["restarts"].as_u64().unwrap();
        found.push((actor["name"].as_str().unwrap().to_owned(), restarts));
        names(&actor["children"], found);
    }
}

fn restarts(view: &Value, name: &str) -> Option<u64> {
    let mut found = Vec::new();
    names(&view["actors"], &mut found);
    found.into_iter().find(|(found, _)| found == name).map(|(_, restarts)| restarts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saga_is_shown_with_its_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let saga = shop.get(&format!("/admin/sagas/{placed}")).await.expect(200).json();
    assert_eq!(saga["saga_id"], placed.as_str());
    assert_eq!((&saga["status"], &saga["step"]), (&"COMPLETED".into(), &"DONE".into()));
    assert_eq!(saga["order"]["status"], "CONFIRMED");
    let nobody = "/admin/sagas/0190d6e8-0000-7000-8000-000000000000";
    shop.get(nobody).await.problem(404);
    shop.ask(&format!("{nobody}/retry")).await.problem(404);
    shop.get("/admin/sagas/x").await.problem(400);
    let retried = shop.ask(&format!("/admin/sagas/{placed}/retry")).await;
    assert!([202, 409].contains(&retried.status.as_u16()), "{}", retried.text);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_entities_are_restarted_by_name_and_work_on() {
    let shop = Shop::open().await;
    shop.stock("Стул/1", 50).await;
    let placed = shop.place(&order("Стул/1", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    for part in ["order/journal", "inventory.commands", "payment/relay", "order/sweeper"] {
        let path = format!("/admin/actors/{}/restart", part.replace('/', "%2F"));
        shop.ask(&path).await.expect(202);
        shop.wait("/admin/actors", |view| restarts(view, part) == Some(1)).await;
        let placed = shop.place(&order("Стул/1", 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    let sku = "sku%2F%D0%A1%D1%82%D1%83%D0%BB%2F1";
    let restarted = shop.ask(&format!("/admin/actors/{sku}/restart")).await.expect(202);
    assert_eq!(restarted.json()["name"], "sku/Стул/1");
    let placed = shop.place(&order("Стул/1", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    for nobody in ["x", "sku%2Fnobody", "%00", &"x".repeat(5_000)] {
        shop.ask(&format!("/admin/actors/{nobody}/restart")).await.problem(404);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_children_are_paged() {
    let shop = Shop::open().await;
    for number in 0..5 {
        shop.stock(&format!("p{number}"), 5).await;
        let placed = shop.place(&order(&format!("p{number}"), 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    let skus = |view: &Value| -> Vec<String> {
        let mut found = Vec::new();
        names(&view["actors"], &mut found);
        found.into_iter().map(|(name, _)| name).filter(|name| name.starts_with("sku/")).collect()
    };
    let first = shop.get("/admin/actors?under=skus&limit=2").await.expect(200).json();
    assert_eq!(skus(&first), ["sku/p0", "sku/p1"]);
    let next = shop.get("/admin/actors?under=skus&limit=2&after=sku%2Fp1").await.expect(200).json();
    assert_eq!(skus(&next), ["sku/p2", "sku/p3"]);
    shop.get("/admin/actors?limit=0").await.fault(400, "limit");
    shop.close().await;
}
