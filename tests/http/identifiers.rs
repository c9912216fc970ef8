//! Identifiers that look alike are equal or refused; names of people hold what names hold; currencies are in use.

use super::support::{Shop, order, with};
use serde_json::json;

/// Each looks like `mug`, or like `émug`.
const MISTAKABLE: [&str; 9] = [
    " mug",
    "mug ",
    "mug\u{a0}",
    "mu\u{200b}g",
    "\u{feff}mug",
    "m\u{ad}ug",
    "mug\u{202e}",
    "mu\u{3164}g",
    "e\u{301}mug",
];

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_that_look_alike_but_are_not_equal_are_refused() {
    let shop = Shop::open().await;
    shop.stock("mug", 5).await;
    shop.stock("émug 木", 5).await;
    for id in MISTAKABLE {
        let product = json!({ "product_id": id, "available_qty": 1 });
        shop.post("/inventory", &product).await.fault(422, "product_id");
        shop.post("/orders", &order(id, 1)).await.fault(422, "items[0].product_id");
        let customer = with(order("mug", 1), "/customer_id", json!(id));
        shop.post("/orders", &customer).await.fault(422, "customer_id");
        let short = json!({ "user_id": id, "product_id": "mug", "quantity": 1, "total_amount": 1 });
        shop.post("/orders", &short).await.fault(422, "user_id");
        let short = json!({ "user_id": 7, "product_id": id, "quantity": 1, "total_amount": 1 });
        shop.post("/orders", &short).await.fault(422, "product_id");
    }
    let email = with(order("mug", 1), "/email", json!("an\u{200b}na@shop.example"));
    shop.post("/orders", &email).await.fault(422, "email");
    assert_eq!(shop.get("/orders").await.json()["orders"], json!([]));
    let placed = shop.place(&order("émug 木", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_people_hold_what_names_hold() {
    let shop = Shop::open().await;
    shop.stock("mug", 50).await;
    for name in [
        "Anna O’Neill-D'Arcy",
        "علی\u{200c}رضا",
        "क\u{94d}\u{200d}षमा",
        "\u{200f}אבי",
        "Nguye\u{302}\u{303}n",
    ] {
        shop.place(&with(order("mug", 1), "/address", json!({ "name": name }))).await;
    }
    for name in ["", " ", "\u{200d}", "Anna\u{1b}[2J", "Anna\nB", "Anna\u{202e}", "Anna\u{2028}"] {
        let body = with(order("mug", 1), "/address", json!({ "name": name }));
        shop.post("/orders", &body).await.fault(422, "address.name");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_are_those_in_use() {
    let shop = Shop::open().await;
    shop.stock("mug", 50).await;
    let priced = |currency: &str, price: serde_json::Value| {
        let body = with(order("mug", 1), "/currency", json!(currency));
        with(body, "/items/0/unit_price", price)
    };
    for (currency, price) in
        [("XCG", json!(1.25)), ("USD", json!("1.25")), ("JPY", json!(125)), ("BHD", json!(1.125))]
    {
        shop.place(&priced(currency, price)).await;
    }
    for withdrawn in ["ANG", "HRK", "BGN", "ZWL", "DEM", "XAU", "XTS", "usd"] {
        shop.post("/orders", &priced(withdrawn, json!(1))).await.fault(422, "currency");
    }
    for (currency, price) in [("JPY", json!(1.5)), ("USD", json!("1.001")), ("BHD", json!(1.0001))]
    {
        let refused = shop.post("/orders", &priced(currency, price)).await;
        refused.fault(422, "items[0].unit_price");
    }
    shop.close().await;
}
