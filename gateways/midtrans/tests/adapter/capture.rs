//! What is held or in review.

use super::{GROSS, PART, STATUS, ask, calls, is, noon, rupiah, status, subject, with};
use ordermill_domain::payment::{GatewayError, Operation, PaymentPart, Ruling};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_held_is_captured_once() {
    let part =
        PaymentPart { key: PART, amount: rupiah(GROSS), asked_at: noon(), reason: String::new() };
    let capture = || Operation::Capture(part.clone());
    let (result, requests) = ask(subject(), capture(), vec![is("authorize"), is("capture")]).await;
    assert_eq!(result.unwrap().captured_minor, GROSS);
    assert_eq!(calls(&requests), [STATUS, "POST /v2/capture"]);
    let body: Value = serde_json::from_str(&requests[1].body).unwrap();
    assert_eq!(body, json!({ "transaction_id": "tx-1", "gross_amount": 145_000 }));

    let denied = with(status("deny"), "status_code", json!("202"));
    let (result, _) = ask(subject(), capture(), vec![is("authorize"), denied]).await;
    assert!(matches!(result, Err(GatewayError::Rejected { .. })));

    let (result, requests) = ask(subject(), capture(), vec![is("capture")]).await;
    assert_eq!(result.unwrap().captured_minor, GROSS);
    assert_eq!(calls(&requests), [STATUS]);
}

#[tokio::test]
async fn a_ruling_moves_what_is_in_review() {
    let review = || with(status("capture"), "fraud_status", json!("challenge"));
    let accept = Operation::Review(Ruling::Accept);
    let (result, requests) = ask(subject(), accept, vec![review(), is("capture")]).await;
    assert_eq!(result.unwrap().captured_minor, GROSS);
    assert_eq!(calls(&requests), [STATUS, "POST /v2/tx-1/approve"]);
    let deny = Operation::Review(Ruling::Deny);
    let (result, requests) = ask(subject(), deny, vec![review(), is("deny")]).await;
    assert_eq!(result.unwrap().captured_minor, 0);
    assert_eq!(calls(&requests), [STATUS, "POST /v2/tx-1/deny"]);
}
