use super::*;
use crate::settings::{Environment, ServerKey};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::Money;
use ordermill_domain::payment::{GatewayKey, Reference};
use serde_json::{Value, json};

const NAME: &str = "om-00000000-0000-0000-0000-000000000007";
/// 145000 rupiah.
const GROSS: i64 = 14_500_000;
const KEY: PartKey = PartKey(Uuid::from_u128(5));

fn subject() -> Subject {
    let order_id = OrderId(Uuid::from_u128(7));
    Subject {
        key: GatewayKey::of(order_id),
        order_id,
        due: Money { minor: GROSS, currency: crate::fields::rupiah() },
        method: "credit_card".into(),
        reference: Reference { page: Some("token".into()), payment: None },
        page_ends_at: None,
    }
}

/// The body of a status, with these fields instead of its own; null takes one away.
fn read(changes: &Value) -> Result<Transaction, GatewayError> {
    let mut body = json!({
        "status_code": "200",
        "transaction_id": "b1c5",
        "order_id": NAME,
        "merchant_id": "G1",
        "gross_amount": "145000.00",
        "currency": "IDR",
        "payment_type": "credit_card",
        "transaction_time": "2026-12-01 03:00:00",
        "transaction_status": "settlement",
        "fraud_status": "accept",
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let mut settings =
        MidtransSettings::new(Environment::Sandbox, ServerKey::parse("key").unwrap());
    settings.merchant_id = Some("G1".into());
    Transaction::read(&Fields::parse(body.to_string().as_bytes()).unwrap(), &settings, NAME)
}

fn payment(changes: &Value) -> GatewayPayment {
    read(changes).unwrap().payment(&subject(), false)
}

#[test]
fn two_words_say_what_a_transaction_means() {
    use Meaning::{Captured, Denied, Ended, Held, InReview, Pending};
    for (status, [accept, challenge, deny]) in [
        ("pending", [Pending; 3]),
        ("authorize", [Held, InReview, Denied]),
        ("capture", [Captured, InReview, Denied]),
        ("settlement", [Captured; 3]),
        ("deny", [Denied; 3]),
        ("cancel", [Ended; 3]),
        ("expire", [Ended; 3]),
        ("failure", [Ended; 3]),
        ("refund", [Captured; 3]),
        ("partial_refund", [Captured; 3]),
        ("chargeback", [Captured; 3]),
        ("partial_chargeback", [Captured; 3]),
    ] {
        for (fraud, meaning) in [
            (Value::Null, accept),
            (json!("accept"), accept),
            (json!("ACCEPT"), accept),
            (json!("challenge"), challenge),
            (json!("deny"), deny),
        ] {
            for status in [status.to_owned(), status.to_ascii_uppercase()] {
                let words = json!({ "transaction_status": status, "fraud_status": fraud });
                assert_eq!(read(&words).unwrap().meaning, meaning, "{words}");
            }
        }
    }
}

#[test]
fn a_word_that_is_not_known_is_no_answer() {
    for words in [
        json!({ "transaction_status": "magic" }),
        json!({ "transaction_status": "" }),
        json!({ "transaction_status": null }),
        json!({ "transaction_status": 7 }),
        json!({ "transaction_status": "capture", "fraud_status": "perhaps" }),
    ] {
        assert!(matches!(read(&words), Err(GatewayError::Unknown(_))), "{words}");
    }
}

#[test]
fn what_is_not_ours_or_cannot_be_true_is_no_answer() {
    let fee = |original: &str, fee: Value| {
        let info = json!({ "original_amount": original, "customer_imposed_payment_fee": fee });
        json!({ "metadata": { "extra_info": { "gross_amount_info": info } } })
    };
    for changes in [
        json!({ "order_id": "om-00000000-0000-0000-0000-000000000008" }),
        json!({ "order_id": null }),
        json!({ "currency": "USD" }),
        json!({ "currency": 360 }),
        json!({ "merchant_id": "G2" }),
        json!({ "transaction_id": "../../v2" }),
        json!({ "gross_amount": null }),
        json!({ "gross_amount": "-145000.00" }),
        json!({ "gross_amount": "145,000" }),
        json!({ "gross_amount": [] }),
        json!({ "refund_amount": "145000.01" }),
        json!({ "refunds": [{ "refund_amount": "145001" }] }),
        fee("144000", json!("999")),
        fee("146000", json!("-1000")),
        fee("146000", Value::Null),
    ] {
        assert!(matches!(read(&changes), Err(GatewayError::Invalid(_))), "{changes}");
    }
}

#[test]
fn fields_that_say_nothing_are_not_missed() {
    let changes = json!({
        "currency": null, "merchant_id": null, "payment_type": 3, "transaction_time": "soon",
        "transaction_id": null, "refunds": null, "metadata": [], "gross_amount": 145_000,
    });
    assert_eq!(payment(&changes).captured_minor, GROSS);
}

#[test]
fn money_that_is_held_or_in_review_is_not_captured() {
    let held = payment(&json!({ "transaction_status": "authorize" }));
    assert_eq!((held.held_minor, held.captured_minor, held.closed), (GROSS, 0, false));
    assert_eq!(held.capture_before, Some("2026-12-07T20:00:00Z".parse().unwrap()));
    assert_eq!(held.reference.payment.as_deref(), Some("b1c5"));
    assert_eq!(held.reference.page.as_deref(), Some("token"));
    assert_eq!(held.status_text, "authorize/accept");
    for status in ["authorize", "capture"] {
        let words = json!({ "transaction_status": status, "fraud_status": "challenge" });
        let review = payment(&words);
        assert!(review.in_review && !review.closed);
        assert_eq!((review.held_minor, review.captured_minor), (GROSS, 0));
    }
}

#[test]
fn a_try_that_failed_ends_a_payment_only_when_its_page_is_over() {
    for status in ["deny", "cancel", "expire", "failure"] {
        let words =
            json!({ "transaction_status": status, "channel_response_message": "Deny [05]" });
        let transaction = read(&words).unwrap();
        for page_over in [false, true] {
            let payment = transaction.payment(&subject(), page_over);
            assert_eq!(payment.closed, page_over);
            assert_eq!((payment.held_minor, payment.captured_minor), (0, 0));
            let last_try = payment.last_try.unwrap();
            assert_eq!(last_try.method, "credit_card");
            assert_eq!(last_try.denied.as_deref(), Some("Deny [05]"));
        }
    }
    let pending = read(&json!({ "transaction_status": "PENDING" })).unwrap();
    let pending = pending.payment(&subject(), true);
    assert_eq!(pending.last_try.unwrap().denied, None);
    assert!(!pending.closed, "a transfer may outlive its page");
}

#[test]
fn a_fee_for_the_customer_does_not_pay_the_order() {
    let info = json!({ "original_amount": "145000", "gross_amount": 145_071,
        "customer_imposed_payment_fee": "71" });
    let info = json!({ "gross_amount_info": info });
    let gross = "145071.00";
    for changes in [
        json!({ "gross_amount": gross, "metadata": { "extra_info": info } }),
        json!({ "gross_amount": gross, "extra_info": info }),
    ] {
        let payment = payment(&changes);
        assert_eq!((payment.captured_minor, payment.credited_minor), (14_507_100, GROSS));
    }
    let unexplained = payment(&json!({ "gross_amount": gross }));
    assert_eq!(unexplained.credited_minor, 14_507_100);
}

#[test]
fn refunds_are_known_by_our_keys() {
    let refund = json!({ "refund_key": KEY.to_string(), "refund_amount": "45000.00" });
    let in_dashboard = json!({ "refund_key": "by-hand-1", "refund_amount": 10_000 });
    let changes = json!({ "transaction_status": "partial_refund", "refund_amount": "55000.00",
        "refunds": [refund, in_dashboard] });
    let mut body = changes.clone();
    let refunded = payment(&body);
    assert_eq!(refunded.refunded_minor, 5_500_000);
    let expected =
        GatewayRefund { key: KEY, amount_minor: 4_500_000, progress: RefundProgress::Pending };
    assert_eq!(refunded.refunds, [expected]);

    body["refunds"][0]["bank_confirmed_at"] = json!("2026-12-02 10:00:00");
    assert_eq!(payment(&body).refunds[0].progress, RefundProgress::Done);
    body = changes.clone();
    body["payment_type"] = json!("gopay");
    assert_eq!(payment(&body).refunds[0].progress, RefundProgress::Done);
    body = changes.clone();
    body["refund_amount"] = Value::Null;
    assert_eq!(payment(&body).refunded_minor, 5_500_000);
    body["refund_amount"] = json!("0.00");
    assert_eq!(payment(&body).refunds, [], "the bank refused it");

    assert_eq!(payment(&json!({ "transaction_status": "refund" })).refunded_minor, GROSS);
    assert_eq!(payment(&json!({ "transaction_status": "chargeback" })).refunded_minor, 0);
}
