//! Notifications: what they say, and what is done wrong to them.

use super::{DAY, KEY, MINUTE, ORDER, Rig};
use crate::fake_midtrans::fault::{Call, NotifyFault};
use crate::fake_midtrans::notification::signature;
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::state::EARLY_BY;
use serde_json::Value;

fn is_signed(body: &Value) -> bool {
    let text = |name: &str| body[name].as_str().unwrap();
    let expected = signature(text("order_id"), text("status_code"), text("gross_amount"), KEY);
    body["signature_key"] == expected
}

fn words(rig: &Rig) -> Vec<String> {
    let words = rig.notified().into_iter();
    words.map(|body| body["transaction_status"].as_str().unwrap().to_owned()).collect()
}

/// A transfer that is chosen, then paid, with a fault in its first notification.
fn transfer(fault: Option<NotifyFault>) -> Rig {
    let mut rig = Rig::new();
    let token = rig.page();
    if let Some(fault) = fault {
        rig.state.script.notification(fault);
    }
    rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    rig.state.pay(rig.now, &token, PaymentType::BankTransfer).unwrap();
    rig
}

fn posted(rig: &mut Rig, answer: Option<u16>) -> Vec<String> {
    let mut words = Vec::new();
    while let Some((number, body)) = rig.state.notifications.due(rig.now) {
        let body: Value = serde_json::from_str(&body).unwrap();
        words.push(body["transaction_status"].as_str().unwrap().to_owned());
        rig.state.notifications.answered(rig.now, number, answer);
    }
    words
}

#[test]
fn every_change_is_told_and_signed() {
    let rig = transfer(None);
    assert_eq!(words(&rig), ["pending", "settlement"]);
    assert!(rig.notified().iter().all(is_signed));
    assert!(rig.notified()[1]["va_numbers"].is_array());
    let rig = {
        let mut rig = Rig::new();
        rig.paid_by(PaymentType::Cstore);
        rig
    };
    assert!(rig.notified()[0].get("fraud_status").is_none());
}

#[test]
fn an_expiry_is_told_with_202() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::Qris).unwrap();
    rig.advance(DAY);
    let told = rig.notified();
    assert_eq!(
        (&told[1]["transaction_status"], &told[1]["status_code"]),
        (&"expire".into(), &"202".into())
    );
}

#[test]
fn an_unavailable_merchant_hears_it_again_after_two_and_ten_minutes() {
    let mut rig = Rig::new();
    rig.paid_by(PaymentType::Gopay);
    assert_eq!(posted(&mut rig, Some(503)).len(), 1);
    rig.advance(2 * MINUTE);
    assert_eq!(posted(&mut rig, Some(503)).len(), 1);
    rig.advance(9 * MINUTE);
    assert_eq!(posted(&mut rig, Some(200)).len(), 0);
    rig.advance(MINUTE);
    assert_eq!(posted(&mut rig, Some(200)).len(), 1);
    rig.advance(DAY);
    assert_eq!(posted(&mut rig, Some(200)).len(), 0);
    assert_eq!(rig.state.notifications.all()[0].answers, [Some(503), Some(503), Some(200)]);
}

#[test]
fn a_notification_is_lost_or_doubled() {
    assert_eq!(words(&transfer(Some(NotifyFault::Never))), ["settlement"]);
    let twice = words(&transfer(Some(NotifyFault::Twice)));
    assert_eq!(twice, ["pending", "pending", "settlement"]);
}

#[test]
fn a_notification_comes_late_or_after_its_next() {
    let mut rig = transfer(Some(NotifyFault::Late(MINUTE)));
    assert_eq!(posted(&mut rig, Some(200)), ["settlement"]);
    rig.advance(MINUTE);
    assert_eq!(posted(&mut rig, Some(200)), ["pending"]);
    let mut rig = transfer(Some(NotifyFault::Reversed));
    rig.advance(MINUTE);
    assert_eq!(posted(&mut rig, Some(200)), ["settlement", "pending"]);
}

#[test]
fn an_early_notification_is_ahead_of_looks() {
    let mut rig = Rig::new();
    rig.state.script.notification(NotifyFault::Early);
    rig.paid_by(PaymentType::Gopay);
    assert_eq!((rig.notified().len(), rig.status(ORDER)), (1, "404".to_owned()));
    rig.advance(EARLY_BY);
    assert_eq!(rig.status(ORDER), "settlement");
}

#[test]
fn forged_ones_do_not_verify_and_a_tampered_one_does() {
    for fault in [NotifyFault::Forged, NotifyFault::OtherKey] {
        let told = transfer(Some(fault)).notified();
        assert!(!is_signed(&told[0]), "{fault:?}");
        assert_eq!(told[0]["signature_key"].as_str().unwrap().len(), 128);
    }
    let told = transfer(Some(NotifyFault::Tampered)).notified();
    assert!(is_signed(&told[0]));
    assert_eq!(told[0]["transaction_status"], "settlement");
    assert_eq!(told[0]["status_code"], "201");
}

#[test]
fn cancelling_is_told_too() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    rig.code(Call::Cancel, ORDER);
    assert_eq!(words(&rig), ["pending", "cancel"]);
}

#[test]
fn what_was_not_taken_is_posted_again_when_asked() {
    let mut rig = transfer(None);
    assert_eq!(posted(&mut rig, None), ["pending", "settlement"]);
    rig.state.notifications.resend(rig.now);
    assert_eq!(posted(&mut rig, Some(200)), ["pending", "settlement"]);
    rig.state.notifications.resend(rig.now);
    assert!(posted(&mut rig, Some(200)).is_empty());
}
