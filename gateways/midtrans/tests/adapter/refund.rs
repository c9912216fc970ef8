//! Money goes back once a key, or a person has to give it back.

use super::{GROSS, PART, STATUS, ask, calls, code, is, refund, status, subject, with};
use chrono::TimeDelta;
use ordermill_domain::payment::{GatewayError, RefundProgress};
use serde_json::{Value, json};

#[tokio::test]
async fn a_refund_is_asked_for_once_a_key() {
    let (result, requests) =
        ask(subject(), refund(4_500_000, TimeDelta::zero()), vec![is("settlement"), code("200")])
            .await;
    let payment = result.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (GROSS, 4_500_000));
    assert_eq!(payment.refunds[0].key, PART);
    assert_eq!(payment.refunds[0].progress, RefundProgress::Done);
    assert_eq!(calls(&requests), [STATUS, "POST /v2/tx-1/refund"]);
    let body: Value = serde_json::from_str(&requests[1].body).unwrap();
    let expected = json!({ "refund_key": PART.to_string(), "amount": 45_000, "reason": "broken" });
    assert_eq!(body, expected);
    assert_eq!(requests[1].header("idempotency-key").unwrap().len(), 36);

    let refunds = json!([{ "refund_key": PART.to_string(), "refund_amount": "45000.00" }]);
    let known = with(status("partial_refund"), "refunds", refunds);
    let (result, requests) =
        ask(subject(), refund(4_500_000, TimeDelta::days(9)), vec![known.clone()]).await;
    assert_eq!(result.unwrap().refunded_minor, 4_500_000, "also when the key is too old");
    assert_eq!(calls(&requests), [STATUS]);

    let replies = vec![is("settlement"), code("406"), known];
    let (result, _) = ask(subject(), refund(4_500_000, TimeDelta::zero()), replies).await;
    assert_eq!(result.unwrap().refunded_minor, 4_500_000);
}

#[tokio::test]
async fn what_cannot_be_refunded_by_api_is_not_asked_for() {
    for (method, minor, days) in [
        ("bank_transfer", GROSS, 0),
        ("echannel", GROSS, 0),
        ("cstore", GROSS, 0),
        ("shopeepay", 4_500_000, 0),
        ("gopay", GROSS, 7),
    ] {
        let found = with(status("settlement"), "payment_type", json!(method));
        let (result, requests) =
            ask(subject(), refund(minor, TimeDelta::days(days)), vec![found]).await;
        assert_eq!(result, Err(GatewayError::NotSupported), "{method}");
        assert_eq!(calls(&requests), [STATUS]);
    }
    let replies = vec![is("settlement"), code("412")];
    let (result, _) = ask(subject(), refund(GROSS, TimeDelta::zero()), replies).await;
    assert_eq!(result, Err(GatewayError::NotSupported));
    for denied in ["202", "414"] {
        let replies = vec![is("settlement"), code(denied)];
        let (result, _) = ask(subject(), refund(GROSS, TimeDelta::zero()), replies).await;
        assert!(matches!(result, Err(GatewayError::Rejected { code, .. }) if code == denied));
    }
    let replies = vec![is("settlement"), code("500")];
    let (result, _) = ask(subject(), refund(GROSS, TimeDelta::zero()), replies).await;
    assert!(matches!(result, Err(GatewayError::Unknown(_))));
}

#[tokio::test]
async fn a_card_that_is_not_settled_is_refunded_by_a_cancel() {
    let card = |word: &str| with(status(word), "payment_type", json!("credit_card"));
    let replies = vec![card("capture"), is("cancel")];
    let (result, requests) = ask(subject(), refund(GROSS, TimeDelta::zero()), replies).await;
    let payment = result.unwrap();
    assert_eq!((payment.refunded_minor, payment.closed), (GROSS, true));
    assert_eq!(payment.refunds[0].progress, RefundProgress::Done);
    assert_eq!(calls(&requests), [STATUS, "POST /v2/tx-1/cancel"]);

    // The answer was lost, and it is asked again.
    let replies = vec![card("cancel"), card("cancel")];
    let (result, _) = ask(subject(), refund(GROSS, TimeDelta::zero()), replies).await;
    assert_eq!(result.unwrap().refunded_minor, GROSS);

    let replies = vec![card("capture"), code("412")];
    let (result, requests) = ask(subject(), refund(4_500_000, TimeDelta::zero()), replies).await;
    assert!(matches!(result, Err(GatewayError::Busy { .. })), "a part has to wait for the bank");
    assert_eq!(calls(&requests), [STATUS, "POST /v2/tx-1/refund"]);
}
