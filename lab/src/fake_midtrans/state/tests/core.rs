//! Core API but for refunds: the body's `status_code` is the answer, HTTP says 200.

use super::{DAY, MINUTE, ORDER, Rig};
use crate::fake_midtrans::fault::{Call, Fault};
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::transaction::Status;
use serde_json::{Value, json};

#[test]
fn a_status_is_404_before_a_choice_and_then_found_by_both_ids() {
    let mut rig = Rig::new();
    let token = rig.page();
    assert_eq!(rig.status(ORDER), "404");
    let id = rig.state.choose(rig.now, &token, PaymentType::Gopay).unwrap();
    assert_eq!((rig.status(ORDER), rig.status(&id)), ("pending".to_owned(), "pending".to_owned()));
    let (code, body) = rig.core(Call::Status, ORDER, &Value::Null);
    assert_eq!((code.as_str(), &body["gross_amount"]), ("201", &json!("145000.00")));
    assert_eq!((&body["currency"], &body["merchant_id"]), (&json!("IDR"), &json!("G1")));
}

#[test]
fn an_expired_transaction_is_answered_with_407() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::Gopay).unwrap();
    rig.advance(DAY);
    let (code, body) = rig.core(Call::Status, ORDER, &Value::Null);
    assert_eq!((code.as_str(), &body["transaction_status"]), ("407", &json!("expire")));
}

#[test]
fn dana_is_found_by_the_transaction_only_and_waits_in_upper_case() {
    let mut rig = Rig::new();
    let token = rig.page();
    let id = rig.state.choose(rig.now, &token, PaymentType::Dana).unwrap();
    assert_eq!((rig.status(ORDER), rig.status(&id)), ("404".to_owned(), "PENDING".to_owned()));
}

#[test]
fn cancel_ends_what_is_not_settled() {
    for (method, chosen_only, code) in [
        (PaymentType::BankTransfer, true, "200"),
        (PaymentType::CreditCard, false, "200"),
        (PaymentType::Gopay, false, "412"),
    ] {
        let mut rig = Rig::new();
        let token = rig.page();
        let done = match chosen_only {
            true => rig.state.choose(rig.now, &token, method),
            false => rig.state.pay(rig.now, &token, method),
        };
        done.unwrap();
        assert_eq!(rig.code(Call::Cancel, ORDER), code, "{method:?}");
        assert_eq!(rig.latest().status == Status::Cancel, code == "200");
    }
    assert_eq!(Rig::new().code(Call::Cancel, ORDER), "404");
}

#[test]
fn expire_ends_what_is_pending_and_says_407() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::Gopay).unwrap();
    assert_eq!(rig.code(Call::Expire, ORDER), "407");
    assert_eq!(rig.code(Call::Expire, ORDER), "412");
    assert_eq!(rig.latest().status, Status::Expire);
}

fn held() -> (Rig, String) {
    let mut rig = Rig::new();
    let extra = json!({"credit_card": {"type": "authorize"}});
    let token = rig.create_with(extra).1["token"].as_str().unwrap().to_owned();
    let id = rig.state.pay(rig.now, &token, PaymentType::CreditCard).unwrap();
    (rig, id)
}

#[test]
fn what_is_held_is_captured_once_and_not_beyond_its_amount() {
    let (mut rig, id) = held();
    assert_eq!(rig.status(ORDER), "authorize");
    let part = |rupiah: i64| json!({"transaction_id": id, "gross_amount": rupiah});
    assert_eq!(rig.core(Call::Capture, "", &part(145_001)).0, "414");
    let (code, body) = rig.core(Call::Capture, "", &part(100_000));
    assert_eq!((code.as_str(), &body["gross_amount"]), ("200", &json!("100000.00")));
    assert_eq!(rig.core(Call::Capture, "", &part(45_000)).0, "412");
}

#[test]
fn a_capture_that_the_bank_denies_leaves_the_hold() {
    let (mut rig, id) = held();
    rig.state.script.call(Call::Capture, Fault::DeniedByBank);
    let part = json!({"transaction_id": id, "gross_amount": 145_000});
    let (code, body) = rig.core(Call::Capture, "", &part);
    assert_eq!((code.as_str(), &body["transaction_status"]), ("202", &json!("deny")));
    assert_eq!(rig.status(ORDER), "authorize");
    assert_eq!(rig.core(Call::Capture, "", &part).0, "200");
}

#[test]
fn what_is_held_lapses_after_seven_days() {
    let (mut rig, _) = held();
    rig.advance(7 * DAY);
    assert_eq!(rig.status(ORDER), "expire");
}

#[test]
fn a_challenged_card_is_approved_or_denied() {
    for (call, status, fraud) in
        [(Call::Approve, "capture", "accept"), (Call::Deny, "deny", "deny")]
    {
        let mut rig = Rig::new();
        let token = rig.page();
        rig.state.challenge(rig.now, &token).unwrap();
        let (code, body) = rig.core(Call::Status, ORDER, &Value::Null);
        assert_eq!((code.as_str(), &body["fraud_status"]), ("201", &json!("challenge")));
        let (code, body) = rig.core(call, ORDER, &json!({}));
        assert_eq!(code, "200");
        assert_eq!(
            (&body["transaction_status"], &body["fraud_status"]),
            (&json!(status), &json!(fraud))
        );
        assert_eq!(rig.code(call, ORDER), "412");
    }
}

#[test]
fn a_success_is_kept_for_five_minutes_under_an_idempotency_key() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::Gopay).unwrap();
    let cancel = |rig: &mut Rig, key: &str| {
        let request = Rig::request(Call::Cancel, ORDER, &json!({}));
        let key = Some(key.to_owned());
        rig.http(super::Request { idempotency_key: key, ..request }).1["status_code"].clone()
    };
    assert_eq!(cancel(&mut rig, "k"), "200");
    assert_eq!(cancel(&mut rig, "k"), "200");
    assert_eq!(cancel(&mut rig, "other"), "412");
    let too_long = "x".repeat(47);
    assert_eq!(cancel(&mut rig, &too_long), "412");
    rig.advance(5 * MINUTE);
    assert_eq!(cancel(&mut rig, "k"), "412");
}

#[test]
fn a_key_whose_request_is_in_process_is_answered_with_202() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::Gopay).unwrap();
    let request = || {
        let request = Rig::request(Call::Cancel, ORDER, &json!({}));
        super::Request { idempotency_key: Some("k".to_owned()), ..request }
    };
    rig.state.script.call(Call::Cancel, Fault::Hang);
    assert!(matches!(rig.react(request()), super::Reaction::Hang(_)));
    assert_eq!(rig.http(request()).0, 202);
    rig.state.answered(Some("k"));
    let (http, body) = rig.http(request());
    assert_eq!((http, &body["status_code"]), (200, &json!("200")));
}
