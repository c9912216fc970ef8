//! Pages: how they are created, replaced and cancelled.

use super::{DAY, KEY, MINUTE, ORDER, Rig, page_request};
use crate::fake_midtrans::fault::Call;
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::state::{CustomerError, PageState};
use serde_json::{Value, json};

fn errors(answer: (u16, Value)) -> String {
    assert_eq!(answer.0, 400, "{}", answer.1);
    answer.1["error_messages"].to_string()
}

#[test]
fn a_page_is_created_with_its_url() {
    let mut rig = Rig::new();
    let (http, body) = rig.create_with(json!({}));
    assert_eq!(http, 201);
    let token = body["token"].as_str().unwrap();
    let url = format!("http://127.0.0.1:1/snap/v4/redirection/{token}");
    assert_eq!(body["redirect_url"], url);
    assert_eq!(rig.state.page(token).unwrap().gross_amount, 145_000);
}

#[test]
fn a_wrong_key_is_answered_with_401() {
    let mut rig = Rig::new();
    for authorization in [None, Some("Basic x".to_owned()), Some(KEY.to_owned())] {
        let request = Rig::request(Call::Create, "", &page_request());
        let (http, body) = rig.http(super::Request { authorization, ..request });
        assert_eq!((http, body["error_messages"].is_array()), (401, true));
    }
    let request = Rig::request(Call::Status, ORDER, &Value::Null);
    let (http, body) = rig.http(super::Request { authorization: None, ..request });
    assert_eq!((http, &body["status_code"]), (401, &json!("401")));
    assert!(rig.state.pages().is_empty());
}

#[test]
fn an_order_id_has_its_form() {
    for (id, word) in [
        (json!(null), "required"),
        (json!(""), "required"),
        (json!("x".repeat(51)), "too long"),
        (json!("a b"), "characters"),
        (json!("a/b"), "characters"),
    ] {
        let details = json!({"order_id": id, "gross_amount": 1});
        let answer = Rig::new().create_with(json!({"transaction_details": details}));
        assert!(errors(answer).contains(word), "{id}");
    }
    let details = json!({"order_id": "x".repeat(50), "gross_amount": 1});
    assert_eq!(Rig::new().create_with(json!({"transaction_details": details})).0, 201);
}

#[test]
fn an_amount_is_a_positive_integer_number() {
    for amount in [json!("145000"), json!(145_000.5), json!(145_000.0), json!(0), json!(null)] {
        let details = json!({"order_id": ORDER, "gross_amount": amount});
        let answer = Rig::new().create_with(json!({"transaction_details": details}));
        assert!(errors(answer).contains("gross_amount"), "{amount}");
    }
}

#[test]
fn items_add_up_to_the_amount() {
    let items = |price: Value, quantity: i64, name: &str| {
        let rest = json!({"price": -5_000, "quantity": 1, "name": "discount"});
        json!({"item_details": [{"price": price, "quantity": quantity, "name": name}, rest]})
    };
    let create = |items| Rig::new().create_with(items);
    assert_eq!(create(items(json!(75_000), 2, "x")).0, 201);
    assert!(errors(create(items(json!(75_001), 2, "x"))).contains("sum of item_details"));
    assert!(errors(create(items(json!(75_000.5), 2, "x"))).contains("price"));
    assert!(errors(create(items(json!(75_000), 0, "x"))).contains("quantity"));
    assert!(errors(create(items(json!(75_000), 2, &"x".repeat(51)))).contains("name"));
}

#[test]
fn a_page_lives_from_five_minutes_to_seven_days() {
    let expiry = |unit: &str, duration: Value| {
        let expiry =
            json!({"start_time": "2023-11-15 05:13:20 +0700", "unit": unit, "duration": duration});
        Rig::new().create_with(json!({"expiry": expiry}))
    };
    assert_eq!(expiry("minutes", json!(5)).0, 201);
    assert_eq!(expiry("days", json!(7)).0, 201);
    assert!(errors(expiry("minutes", json!(4))).contains("duration"));
    assert!(errors(expiry("days", json!(8))).contains("duration"));
    assert!(errors(expiry("weeks", json!(1))).contains("unit"));
    assert!(errors(expiry("minutes", json!("5"))).contains("duration"));
    let old = json!({"start_time": "2023-11-14 05:13:20 +0700", "unit": "hours", "duration": 1});
    assert!(errors(Rig::new().create_with(json!({"expiry": old}))).contains("past"));
}

#[test]
fn a_request_of_more_than_16_kb_is_refused() {
    let answer = Rig::new().create_with(json!({"custom_field1": "x".repeat(16 * 1024)}));
    assert!(errors(answer).contains("16 kB"));
}

#[test]
fn before_a_choice_the_same_order_gets_a_new_page_and_the_old_one_is_dead() {
    let mut rig = Rig::new();
    let (first, second) = (rig.page(), rig.page());
    assert_ne!(first, second);
    assert_eq!(rig.state.page(&first).unwrap().state, PageState::Revoked);
    let pay = rig.state.pay(rig.now, &first, PaymentType::Gopay);
    assert_eq!(pay, Err(CustomerError::PageClosed));
    assert!(rig.state.pay(rig.now, &second, PaymentType::Gopay).is_ok());
}

#[test]
fn after_a_choice_the_order_is_taken_until_the_transaction_is_cancelled() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    assert!(errors(rig.create_with(json!({}))).contains("has already been taken"));
    assert_eq!(rig.code(Call::Cancel, ORDER), "200");
    assert_eq!(rig.create_with(json!({})).0, 201);
}

#[test]
fn a_page_is_cancelled_with_four_answers() {
    let mut rig = Rig::new();
    let token = rig.page();
    let cancel = |rig: &mut Rig, token: &str| rig.snap(Call::CancelPage, token, &json!({})).1;
    assert!(cancel(&mut rig, "unknown")["error_messages"][0] == "token not found");
    let card = rig.state.choose(rig.now, &token, PaymentType::CreditCard).unwrap();
    let on_progress = cancel(&mut rig, &token);
    assert_eq!(on_progress["error_messages"][0], "Transaction is on progress");
    rig.advance(16 * MINUTE);
    assert_eq!(rig.status(&card), "expire");
    assert!(cancel(&mut rig, &token)["canceled_at"].is_string());
    assert_eq!(cancel(&mut rig, &token)["error_messages"][0], "token already canceled");
    let pay = rig.state.pay(rig.now, &token, PaymentType::Gopay);
    assert_eq!(pay, Err(CustomerError::PageClosed));
}

#[test]
fn a_page_ends_by_its_clock_and_says_nothing() {
    let mut rig = Rig::new();
    let expiry = json!({"unit": "minutes", "duration": 12});
    let (_, body) = rig.create_with(json!({"expiry": expiry}));
    let token = body["token"].as_str().unwrap().to_owned();
    rig.advance(12 * MINUTE);
    let pay = rig.state.pay(rig.now, &token, PaymentType::Gopay);
    assert_eq!(pay, Err(CustomerError::PageClosed));
    assert!(rig.notified().is_empty());
    assert_eq!(rig.status(ORDER), "404");
}

#[test]
fn a_page_without_expiry_lives_a_day() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.advance(DAY - MINUTE);
    assert_eq!(rig.state.leave(rig.now, &token), Ok(()));
    rig.advance(MINUTE);
    assert_eq!(rig.state.leave(rig.now, &token), Err(CustomerError::PageClosed));
}
