//! Refunds, by method and by key.

use super::{DAY, MINUTE, ORDER, Rig};
use crate::fake_midtrans::fault::{Call, Fault};
use crate::fake_midtrans::payment_type::{PaymentType, Refundable};
use serde_json::{Value, json};

fn refund(rig: &mut Rig, key: &str, rupiah: i64) -> (String, Value) {
    let body = json!({"refund_key": key, "amount": rupiah, "reason": "test"});
    rig.core(Call::Refund, ORDER, &body)
}

#[test]
fn parts_are_given_back_until_nothing_is_left() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    let (code, body) = refund(&mut rig, "a", 45_000);
    assert_eq!((code.as_str(), &body["transaction_status"]), ("200", &json!("partial_refund")));
    assert_eq!(body["refund_amount"], "45000.00");
    assert_eq!(refund(&mut rig, "b", 100_001).0, "414");
    let (code, body) = refund(&mut rig, "b", 100_000);
    assert_eq!((code.as_str(), &body["transaction_status"]), ("200", &json!("refund")));
    let keys: Vec<_> =
        body["refunds"].as_array().unwrap().iter().map(|one| one["refund_key"].clone()).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(refund(&mut rig, "c", 1).0, "412");
}

#[test]
fn a_method_without_refund_says_412() {
    for method in PaymentType::ALL {
        if method.refundable() == Refundable::Nothing {
            let mut rig = Rig::new();
            rig.paid_by(*method);
            assert_eq!(refund(&mut rig, "a", 145_000).0, "412", "{method:?}");
        }
    }
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::BankTransfer);
    assert_eq!(rig.status(ORDER), "settlement");
}

#[test]
fn some_methods_give_back_the_whole_amount_only() {
    for method in [PaymentType::Shopeepay, PaymentType::Ovo] {
        let mut rig = Rig::new();
        rig.paid_by(method);
        assert_eq!(refund(&mut rig, "a", 1_000).0, "412");
        assert_eq!(refund(&mut rig, "a", 145_000).0, "200");
    }
}

#[test]
fn a_card_is_refunded_after_it_is_settled() {
    let mut rig = Rig::new();
    let id = rig.paid_by(PaymentType::CreditCard);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "412");
    rig.state.confirm_settlement(rig.now, &id).unwrap();
    assert_eq!(refund(&mut rig, "a", 1_000).0, "200");
}

#[test]
fn a_key_stands_for_one_refund_for_seven_days() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "200");
    assert_eq!(refund(&mut rig, "a", 1_000).0, "406");
    rig.advance(7 * DAY - MINUTE);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "406");
    rig.advance(MINUTE);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "200");
    assert_eq!(rig.latest().refunded(), 2_000);
}

#[test]
fn a_key_and_an_amount_have_their_form() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    assert_eq!(refund(&mut rig, "a b", 1_000).0, "400");
    assert_eq!(refund(&mut rig, "a", 0).0, "400");
    let body = json!({"refund_key": "a", "amount": "1000"});
    assert_eq!(rig.core(Call::Refund, ORDER, &body).0, "400");
}

#[test]
fn a_refund_beyond_the_merchants_balance_says_414() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    rig.state.balance = Some(500);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "414");
    rig.state.balance = Some(1_500);
    assert_eq!(refund(&mut rig, "a", 1_000).0, "200");
    assert_eq!(rig.state.balance, Some(500));
}

#[test]
fn a_refund_that_the_bank_denies_is_not_booked() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    rig.state.script.call(Call::Refund, Fault::DeniedByBank);
    let (code, body) = refund(&mut rig, "a", 1_000);
    assert_eq!((code.as_str(), &body["refund_amount"]), ("202", &json!("0.00")));
    assert_eq!(rig.status(ORDER), "settlement");
    assert_eq!(refund(&mut rig, "a", 1_000).0, "200");
}

#[test]
fn the_dashboard_refunds_under_a_key_of_its_own() {
    let mut rig = Rig::new();
    let id = rig.paid_by(PaymentType::Gopay);
    rig.state.refund_in_dashboard(rig.now, &id, 1_000).unwrap();
    assert_eq!(rig.status(ORDER), "partial_refund");
    assert!(rig.latest().refunds[0].key.starts_with("dashboard-"));
}

#[test]
fn a_refund_is_told_twice_the_second_time_with_the_banks_confirmation() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    refund(&mut rig, "a", 145_000);
    rig.advance(MINUTE);
    let told = rig.notified();
    assert_eq!(told.len(), 3);
    assert_eq!(told[1]["transaction_status"], "refund");
    assert!(told[1]["refunds"][0].get("bank_confirmed_at").is_none());
    assert!(told[2]["refunds"][0]["bank_confirmed_at"].is_string());
    rig.advance(DAY);
    assert_eq!(rig.notified().len(), 3);
}
