//! What the pages say of a payment, and what a form may say.

use super::*;
use ordermill_domain::gateway::{Booking, EntryStatus};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};

fn at(second: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(second)
}

/// A page that ends at second 60.
fn open() -> Entry {
    let order_id = OrderId(Uuid::from_u128(0x1234_5678_9abc));
    let amount = Money { minor: 4_990, currency: Currency::USD };
    let mut entry = Entry::new(GatewayKey::of(order_id), at(0));
    entry.booking = Some(Booking { order_id, amount, method: "test_redirect".to_owned() });
    entry.status = EntryStatus::Open;
    entry.details.page_ends_at = Some(at(60));
    entry
}

async fn html(entry: &Entry, now: Timestamp) -> (StatusCode, String) {
    let (status, said) = standing(entry, now);
    let response = page(status, said, Some((entry, now)));
    let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
    assert!(policy.to_str().unwrap().contains("form-action 'self'"));
    (response.status(), response.into_body().into_string().await.unwrap())
}

#[tokio::test]
async fn an_open_page_shows_the_amount_and_the_four_choices() {
    let (status, html) = html(&open(), at(59)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("49.90 USD") && html.contains("…56789abc"), "{html}");
    for word in ["pay", "decline", "choose", "leave"] {
        assert!(html.contains(&format!("name=\"choice\" value=\"{word}\"")), "{html}");
        assert!(choice(format!("choice={word}").as_bytes()).is_some(), "{word}");
    }
    assert!(!html.contains("<script"), "{html}");
}

#[tokio::test]
async fn a_page_that_ended_or_is_paid_has_no_form() {
    let (status, ended) = html(&open(), at(60)).await;
    assert_eq!((status, ended.contains("<form")), (StatusCode::GONE, false), "{ended}");
    let mut paid = open();
    paid.status = EntryStatus::Charged;
    paid.transaction_id = Some("sim-1".to_owned());
    let (status, paid) = html(&paid, at(1)).await;
    assert_eq!((status, paid.contains("<form")), (StatusCode::OK, false), "{paid}");
    assert!(paid.contains("This payment is made."), "{paid}");
    let mut direct = open();
    direct.details.page_ends_at = None;
    assert_eq!(html(&direct, at(1)).await.0, StatusCode::NOT_FOUND);
}

#[test]
fn a_form_that_is_not_the_pages_own_is_no_choice() {
    for body in ["", "choice=", "choice=steal", "choice=pay&choice=leave", "choice=pay ", "pay"] {
        assert_eq!(choice(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn pages_are_where_the_machine_itself_reaches_the_server() {
    for (listen, expected) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/simulated-gateway/pages"),
        ("0.0.0.0:80", "http://127.0.0.1:80/simulated-gateway/pages"),
        ("[::]:80", "http://[::1]:80/simulated-gateway/pages"),
        ("192.0.2.1:80", "http://192.0.2.1:80/simulated-gateway/pages"),
    ] {
        assert_eq!(base_url(listen.parse().unwrap()), expected);
    }
}
