//! What a customer can do at a page.

use super::{MINUTE, ORDER, Rig};
use crate::fake_midtrans::fault::{Call, PayFault};
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::state::CustomerError;
use crate::fake_midtrans::transaction::Status;
use serde_json::json;

#[test]
fn paying_settles_at_once_but_a_card_is_captured_first() {
    for method in PaymentType::ALL {
        let mut rig = Rig::new();
        let id = rig.paid_by(*method);
        let expected = match method {
            PaymentType::CreditCard => Status::Capture,
            _ => Status::Settled,
        };
        assert_eq!(rig.latest().status, expected, "{method:?}");
        if *method == PaymentType::CreditCard {
            rig.state.confirm_settlement(rig.now, &id).unwrap();
            assert_eq!(rig.latest().status, Status::Settled);
        }
    }
}

#[test]
fn a_page_is_paid_once() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.pay(rig.now, &token, PaymentType::Gopay).unwrap();
    for method in [PaymentType::Gopay, PaymentType::Qris] {
        let again = rig.state.pay(rig.now, &token, method);
        assert_eq!(again, Err(CustomerError::AlreadyPaid));
    }
    assert_eq!(rig.state.transactions().len(), 1);
}

#[test]
fn what_was_chosen_is_paid_or_expires_with_the_page() {
    let mut rig = Rig::new();
    let token = rig.page();
    let chosen = rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    let other = rig.state.pay(rig.now, &token, PaymentType::Gopay);
    assert_eq!(other, Err(CustomerError::OtherMethodChosen));
    let paid = rig.state.pay(rig.now, &token, PaymentType::BankTransfer).unwrap();
    assert_eq!((paid, rig.latest().status), (chosen, Status::Settled));

    let mut rig = Rig::new();
    let expiry = json!({"unit": "minutes", "duration": 12});
    let token = rig.create_with(json!({"expiry": expiry})).1["token"].as_str().unwrap().to_owned();
    rig.state.choose(rig.now, &token, PaymentType::Qris).unwrap();
    rig.advance(12 * MINUTE);
    assert_eq!(rig.latest().status, Status::Expire);
}

#[test]
fn a_method_outlives_a_page_that_has_an_end_of_its_own() {
    let mut rig = Rig::new();
    let extra = json!({"page_expiry": {"unit": "minutes", "duration": 5}});
    let token = rig.create_with(extra).1["token"].as_str().unwrap().to_owned();
    rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    rig.advance(10 * MINUTE);
    assert!(rig.state.pay(rig.now, &token, PaymentType::BankTransfer).is_ok());
}

#[test]
fn a_denied_try_is_followed_by_another_in_the_same_page() {
    let mut rig = Rig::new();
    let token = rig.page();
    let denied = rig.state.deny(rig.now, &token, PaymentType::CreditCard).unwrap();
    assert_eq!(rig.status(ORDER), "deny");
    let paid = rig.state.pay(rig.now, &token, PaymentType::Qris).unwrap();
    assert_ne!(denied, paid);
    assert_eq!(rig.status(ORDER), "settlement");
    assert_eq!(rig.status(&denied), "deny");
}

#[test]
fn a_page_offers_the_methods_that_the_merchant_names() {
    let mut rig = Rig::new();
    let extra = json!({"enabled_payments": ["gopay", "bca_va"]});
    let token = rig.create_with(extra).1["token"].as_str().unwrap().to_owned();
    let qris = rig.state.choose(rig.now, &token, PaymentType::Qris);
    assert_eq!(qris, Err(CustomerError::NotOffered));
    assert!(rig.state.choose(rig.now, &token, PaymentType::BankTransfer).is_ok());
}

#[test]
fn leaving_changes_nothing() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.state.leave(rig.now, &token).unwrap();
    assert_eq!((rig.status(ORDER), rig.state.transactions().len()), ("404".to_owned(), 0));
}

#[test]
fn a_cancelled_page_is_paid_only_by_the_fault_late() {
    let mut rig = Rig::new();
    let token = rig.page();
    rig.snap(Call::CancelPage, &token, &json!({}));
    let pay = rig.state.pay(rig.now, &token, PaymentType::Gopay);
    assert_eq!(pay, Err(CustomerError::PageClosed));
    rig.state.script.payment(PayFault::Late);
    assert!(rig.state.pay(rig.now, &token, PaymentType::Gopay).is_ok());
}

#[test]
fn a_cancelled_virtual_account_is_paid_only_by_the_fault_late() {
    let mut rig = Rig::new();
    let token = rig.page();
    let id = rig.state.choose(rig.now, &token, PaymentType::BankTransfer).unwrap();
    rig.snap(Call::CancelPage, &token, &json!({}));
    assert_eq!(rig.code(Call::Cancel, ORDER), "200");
    let pay = rig.state.pay(rig.now, &token, PaymentType::BankTransfer);
    assert_eq!(pay, Err(CustomerError::PageClosed));
    rig.state.script.payment(PayFault::Late);
    assert_eq!(rig.state.pay(rig.now, &token, PaymentType::BankTransfer), Ok(id));
    assert_eq!(rig.latest().status, Status::Settled);
}

#[test]
fn a_fee_is_explained_or_not() {
    let paid_with = |fault| {
        let mut rig = Rig::new();
        rig.state.script.payment(fault);
        rig.paid_by(PaymentType::Gopay);
        rig.core(Call::Status, ORDER, &json!(null)).1
    };
    let body = paid_with(PayFault::Fee(71));
    assert_eq!(body["gross_amount"], "145071.00");
    let info = &body["metadata"]["extra_info"]["gross_amount_info"];
    assert_eq!(info["original_amount"], "145000");
    let body = paid_with(PayFault::UnexplainedFee(71));
    assert_eq!((&body["gross_amount"], body.get("metadata")), (&json!("145071.00"), None));
}

#[test]
fn a_settled_transfer_is_reversed_within_five_minutes() {
    let mut rig = Rig::new();
    let id = rig.paid_by(PaymentType::BankTransfer);
    rig.advance(2 * MINUTE);
    rig.state.reverse(rig.now, &id).unwrap();
    assert_eq!(rig.status(ORDER), "deny");

    let mut rig = Rig::new();
    let id = rig.paid_by(PaymentType::BankTransfer);
    rig.advance(5 * MINUTE);
    assert_eq!(rig.state.reverse(rig.now, &id), Err(CustomerError::WrongStatus));

    let mut rig = Rig::new();
    let id = rig.paid_by(PaymentType::Gopay);
    assert_eq!(rig.state.reverse(rig.now, &id), Err(CustomerError::WrongStatus));
}
