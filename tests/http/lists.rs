//! Lists: every entry once over all pages, filters, and what is no cursor.

use super::support::{Shop, order, with};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Walks a list to its end; gives the ids in order.
async fn walk(shop: &Shop, list: &str, member: &str, id: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for _ in 0..100 {
        let page = shop.get(&format!("{list}{cursor}")).await.expect(200).json();
        let entries = page[member].as_array().unwrap();
        ids.extend(entries.iter().map(|entry| entry[id].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
    panic!("{list} has no end");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_together_have_every_entry_once() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for number in 0..7 {
        shop.stock(&format!("p{number}"), 5).await;
        placed.push(shop.place(&order("p0", 1)).await);
    }
    placed.reverse();
    for limit in [1, 2, 3, 7, 200] {
        let listed = walk(&shop, &format!("/orders?limit={limit}"), "orders", "order_id").await;
        assert_eq!(listed, placed, "newest first, pages of {limit}");
        let sagas = walk(&shop, &format!("/admin/sagas?limit={limit}"), "sagas", "saga_id").await;
        assert_eq!(sagas, placed);
        let products =
            walk(&shop, &format!("/inventory?limit={limit}"), "products", "product_id").await;
        assert_eq!(products, (0..7).map(|n| format!("p{n}")).collect::<Vec<_>>());
    }
    for order in &placed[2..] {
        shop.until(order, "CONFIRMED").await;
    }
    let told = |view: &Value| view["notifications"].as_array().unwrap().len() == 14;
    shop.wait("/notifications", told).await;
    for limit in [1, 5, 13, 14, 200] {
        let list = format!("/notifications?limit={limit}");
        let ids = walk(&shop, &list, "notifications", "id").await;
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (14, 14));
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_only_what_they_say() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let ann = shop.place(&order("chair", 1)).await;
    let bob = shop.place(&with(order("chair", 99), "/customer_id", json!("bob & co"))).await;
    shop.until(&ann, "CONFIRMED").await;
    shop.until(&bob, "CANCELLED").await;
    for (query, only) in [
        ("customer_id=ann", &ann),
        ("user_id=bob%20%26%20co", &bob),
        ("status=CONFIRMED", &ann),
        ("status=CANCELLED", &bob),
        ("customer_id=ann&status=CONFIRMED&limit=200", &ann),
    ] {
        let list = walk(&shop, &format!("/orders?{query}"), "orders", "order_id").await;
        assert_eq!(list, std::slice::from_ref(only), "{query}");
    }
    for query in ["customer_id=carl", "status=SHIPPED", "customer_id=ann&status=CANCELLED"] {
        let list = walk(&shop, &format!("/orders?{query}"), "orders", "order_id").await;
        assert!(list.is_empty(), "{query}");
    }
    for status in ["COMPLETED", "COMPENSATED"] {
        let list = format!("/admin/sagas?status={status}");
        assert_eq!(walk(&shop, &list, "sagas", "saga_id").await.len(), 1);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_400_by_name() {
    let shop = Shop::open().await;
    let order = "order_id=0190d6e8-0000-7000-8000-000000000000";
    let lists = [
        "/orders?",
        "/inventory?",
        "/notifications?",
        "/admin/sagas?",
        &format!("/audit?{order}&"),
    ];
    for list in lists {
        for limit in ["0", "201", "-1", "abc", "", "1.5", "4294967296", "1e2"] {
            let problem = shop.get(&format!("{list}limit={limit}")).await.fault(400, "limit");
            assert!(problem["detail"].as_str().unwrap().contains("1 to 200"), "{problem}");
        }
        shop.get(&format!("{list}unknown=1")).await.fault(400, "unknown");
        if list == "/inventory?" {
            continue;
        }
        for cursor in ["abc", "!!!", "AA", "____", "%00", &"A".repeat(5_000)] {
            shop.get(&format!("{list}cursor={cursor}")).await.fault(400, "cursor");
        }
    }
    shop.get("/inventory?cursor=!!!").await.fault(400, "cursor");
    shop.get("/orders?status=confirmed").await.fault(400, "status");
    shop.get("/orders?customer_id=").await.fault(400, "customer_id");
    shop.get("/admin/sagas?status=PENDING").await.fault(400, "status");
    shop.get("/notifications?type=x").await.fault(400, "type");
    shop.get("/notifications?is_read=maybe").await.fault(400, "is_read");
    shop.get("/notifications?order_id=x").await.fault(400, "order_id");
    shop.get("/audit").await.fault(400, "order_id");
    shop.get("/audit?order_id=x").await.fault(400, "order_id");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cannot_be_read_hides_no_other() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let mut placed = Vec::new();
    for _ in 0..3 {
        let id = shop.place(&order("chair", 1)).await;
        shop.until(&id, "CONFIRMED").await;
        placed.push(id);
    }
    let slow = json!({
        "customer_id": "slow", "payment_method": "test_slow",
        "items": [{"product_id": "chair", "quantity": 1, "unit_price": 10}],
    });
    let mut database = shop.database("order").await;
    for garble in [
        "UPDATE sagas SET state = '{\"facts\": \"of a later version\"}' WHERE order_id = ?1",
        "UPDATE order_history SET facts = '{\"of a later' WHERE order_id = ?1",
    ] {
        let bad: uuid::Uuid = placed[1].parse().unwrap();
        sqlx::query(garble).bind(bad).execute(&mut database).await.unwrap();
    }
    for (list, entries) in [("/orders", "orders"), ("/admin/sagas", "sagas")] {
        let (mut seen, mut unreadable, mut cursor) = (0, Vec::new(), String::new());
        loop {
            let page = shop.get(&format!("{list}?limit=1{cursor}")).await.expect(200).json();
            seen += page[entries].as_array().unwrap().len();
            unreadable.extend(page["unreadable"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((seen, unreadable), (2, vec![json!(placed[1])]), "{list}");
    }
    shop.get(&format!("/orders/{}", placed[1])).await.problem(500);

    // A stream of its events ends; those of the others go on.
    let bad = shop.request(Method::GET, &format!("/orders/{}/events", placed[1])).send();
    let bad = bad.await.unwrap();
    let good = shop.place(&slow).await;
    let events = shop.request(Method::GET, &format!("/orders/{good}/events")).send().await.unwrap();
    shop.until(&good, "CONFIRMED").await;
    shop.ask(&format!("/orders/{good}/cancel")).await.expect(202);
    for (stream, told) in [(events, "CONFIRMED"), (bad, "")] {
        let text = tokio::time::timeout(Duration::from_secs(20), stream.text()).await;
        let text = text.expect("it ends").unwrap();
        assert!(text.contains(told), "{text}");
    }
    shop.close().await;
}
