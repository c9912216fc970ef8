//! Payment methods are a list: what is not on it is refused, and what was placed before finishes.

use super::support::{Shop, order, with};
use ordermill::config::Config;
use ordermill_domain::payment::PaymentMethods;
use serde_json::{Value, json};

const DEFAULT: [&str; 16] = [
    "credit_card",
    "card",
    "paypal",
    "bank_transfer",
    "ewallet",
    "gopay",
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
    "test_redirect",
    "test_redirect_silent",
    "test_redirect_late",
    "test_review",
    "test_refund_by_hand",
];

fn paid_by(method: &str) -> Value {
    with(order("chair", 1), "/payment_method", json!(method))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_listed_is_taken_and_the_refusal_lists_it() {
    let shop = Shop::open().await;
    shop.stock("chair", 100).await;
    for method in DEFAULT {
        shop.post("/orders", &paid_by(method)).await.expect(201);
    }
    for method in ["tset_declined", "test_typo", "Card", "card ", "", "4111 1111 1111 1111"] {
        let problem = shop.post("/orders", &paid_by(method)).await.fault(422, "payment_method");
        let detail = problem["detail"].as_str().unwrap();
        assert!(DEFAULT.iter().all(|known| detail.contains(known)), "{detail}");
        assert!(method.is_empty() || !detail.contains(&format!("`{method}`")), "{detail}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_value_is_not_echoed_whatever_its_type() {
    let shop = Shop::open().await;
    for value in [
        r#""4111111111111111""#,
        "4111111111111111",
        r#"["4111111111111111"]"#,
        "4111111111111111.5",
    ] {
        let body = format!(
            r#"{{"customer_id": "ann", "payment_method": {value},
                "items": [{{"product_id": "chair", "quantity": 1, "unit_price": 1}}]}}"#
        );
        let answer = shop.post_text("/orders", body).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{}", answer.text);
        assert!(!answer.text.contains("4111"), "{}", answer.text);
        assert!(answer.text.contains("payment_method"), "{}", answer.text);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_names_none_needs_credit_cards_to_be_taken() {
    let paypal = |config: &mut Config| {
        config.order.payment_methods = PaymentMethods::parse("paypal").unwrap();
    };
    let shop = Shop::with(paypal).await;
    shop.stock("chair", 1).await;
    let mut nameless = order("chair", 1);
    nameless.as_object_mut().unwrap().remove("payment_method");
    let problem = shop.post("/orders", &nameless).await.fault(422, "payment_method");
    assert!(problem["detail"].as_str().unwrap().contains("is missing"), "{problem}");
    shop.place(&paid_by("paypal")).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_under_way_finishes_with_a_method_that_is_not_taken_any_more() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let confirmed = shop.place(&paid_by("gopay")).await;
    let refunded = shop.place(&paid_by("ewallet")).await;
    for order in [&confirmed, &refunded] {
        shop.until(order, "CONFIRMED").await;
    }
    let shop = shop
        .reopen_with(|config| {
            config.order.payment_methods = PaymentMethods::parse("credit_card").unwrap();
        })
        .await;
    shop.post("/orders", &paid_by("gopay")).await.fault(422, "payment_method");
    shop.ask(&format!("/orders/{confirmed}/dispatch")).await.expect(202);
    shop.ask(&format!("/orders/{refunded}/cancel")).await.expect(202);
    shop.until(&confirmed, "SHIPPED").await;
    let view = shop.until(&refunded, "CANCELLED").await;
    assert_eq!(view["payment_method"], "ewallet");
    shop.close().await;
}
