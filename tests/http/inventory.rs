//! Stock: created, set, and found by any id that a product may have.

use super::support::{Shop, order};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_stocked_once_and_set_as_often_as_wanted() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let again = json!({ "product_id": "chair", "available_qty": 1 });
    shop.post("/inventory", &again).await.problem(409);
    let placed = shop.place(&order("chair", 2)).await;
    shop.until(&placed, "CONFIRMED").await;
    let set = shop.send_text(Method::PUT, "/inventory/chair", r#"{"available_qty": 10}"#).await;
    let view = json!({
        "product_id": "chair", "available_qty": 10, "reserved_qty": 2, "on_hand": 12,
        "version": 3,
    });
    assert_eq!(set.expect(200).json(), view);
    assert_eq!(shop.get("/inventory/chair").await.expect(200).json(), view);
    let body = r#"{"available_qty": 1}"#;
    shop.send_text(Method::PUT, "/inventory/table", body).await.problem(404);
    shop.get("/inventory/table").await.problem(404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_id_is_found_where_its_location_says() {
    let shop = Shop::open().await;
    for product in
        ["a/b", "Стул", "椅子 1", "50%", "%2F", "a?b#c", "..", "a+b", "é\u{301}", "'; --"]
    {
        let body = json!({ "product_id": product, "available_qty": 3 });
        let stocked = shop.post("/inventory", &body).await.expect(201);
        let location = stocked.header("location").to_owned();
        assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
        // A path of dots alone is folded away by clients before they send it.
        if product != ".." {
            let view = shop.get(&location).await.expect(200).json();
            assert_eq!(view["product_id"], product);
            let placed = shop.place(&order(product, 1)).await;
            shop.until(&placed, "CONFIRMED").await;
            assert_eq!(shop.get(&location).await.json()["available_qty"], 2);
        }
    }
    for path in ["%00", "%0a", &"a".repeat(65), &"%C3%BC".repeat(65), "%20"] {
        shop.get(&format!("/inventory/{path}")).await.fault(400, "product_id");
        let body = r#"{"available_qty": 1}"#;
        let set = shop.send_text(Method::PUT, &format!("/inventory/{path}"), body).await;
        set.fault(400, "product_id");
    }
    shop.close().await;
}
