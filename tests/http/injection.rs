//! Texts that would do harm where they were pasted into something: they come back as they were.

use super::support::{Shop, send};
use reqwest::Method;
use serde_json::json;

const TEXTS: [&str; 8] = [
    "'; DROP TABLE orders; --",
    "\" OR 1=1 --",
    "%s%n${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "{{7*7}} `id` $(id)",
    "Robert\\x27); gnp.exe",
    "\u{1b}[31m",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_come_back_as_they_were() {
    let shop = Shop::open().await;
    for text in &TEXTS[..7] {
        let short: String = text.chars().take(30).collect();
        shop.stock(text, 5).await;
        let body = json!({
            "customer_id": text, "payment_method": "credit_card", "phone": short,
            "address": { "name": text, "street": text, "city": text, "postal_code": text,
                         "country": text },
            "items": [{ "product_id": text, "quantity": 1, "unit_price": 1 }],
        });
        let placed = shop.place(&body).await;
        let view = shop.until(&placed, "CONFIRMED").await;
        assert_eq!(view["customer_id"], *text);
        assert_eq!(view["items"][0]["product_id"], *text);
        let list = shop.request(Method::GET, &format!("/orders?customer_id={}", encoded(text)));
        assert_eq!(send(list).await.expect(200).json()["orders"].as_array().unwrap().len(), 1);
        let audit = shop.get(&format!("/audit?order_id={placed}")).await.expect(200);
        assert!(audit.text.contains(&json!(text).to_string()), "{}", audit.text);
    }
    let escape = json!({ "product_id": TEXTS[7], "available_qty": 1 });
    shop.post("/inventory", &escape).await.fault(422, "product_id");
    let body = r#"{"product_id": "a\r\nSet-Cookie: x=1", "available_qty": 1}"#;
    let answer = shop.post_text("/inventory", body).await;
    assert_eq!(answer.header("set-cookie"), "");
    answer.fault(422, "product_id");
    shop.close().await;
}
