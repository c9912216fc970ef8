//! A page, and where it may be.

use super::{CREATE, NAME, STATUS, ask, calls, create, is, noon, page_at, snap_error, subject};
use chrono::TimeDelta;
use ordermill_domain::payment::GatewayError;
use serde_json::{Value, json};

#[tokio::test]
async fn a_page_is_created_as_midtrans_documents_it() {
    let url = "https://app.sandbox.midtrans.com/snap/v4/redirection/tok-1";
    let (result, requests) = ask(subject(), create(), vec![page_at(url)]).await;
    let payment = result.unwrap();
    let page = payment.page.unwrap();
    assert_eq!((page.url.as_str(), page.expires_at), (url, noon() + TimeDelta::minutes(12)));
    assert_eq!(payment.reference.page.as_deref(), Some("tok-1"));
    assert!(!payment.closed);

    assert_eq!(calls(&requests), [CREATE]);
    let header = |name| requests[0].header(name);
    let basic = "Basic U0ItTWlkLXNlcnZlci1vcmRlcm1pbGwtdGVzdC0wMDAxOg==";
    assert_eq!(header("authorization"), Some(basic));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("accept"), Some("application/json"));
    assert!(header("user-agent").unwrap().starts_with("ordermill/"));
    let body: Value = serde_json::from_str(&requests[0].body).unwrap();
    assert_eq!(body["transaction_details"], json!({ "order_id": NAME, "gross_amount": 145_000 }));
    assert_eq!(body["enabled_payments"], json!(["gopay"]));
    assert_eq!(body["expiry"]["start_time"], "2026-12-01 19:00:00 +0700");
}

#[tokio::test]
async fn a_page_anywhere_else_is_no_answer() {
    for url in [
        "http://app.sandbox.midtrans.com/snap/v4/redirection/tok-1",
        "https://app.midtrans.com/snap/v4/redirection/tok-1",
        "https://app.sandbox.midtrans.com.example.com/",
        "https://app.sandbox.midtrans.com@example.com/",
        "https://user@app.sandbox.midtrans.com/",
        "https://app.sandbox.midtrans.com:8443/",
        "https:\\\\app.sandbox.midtrans.com/",
        "javascript:alert(1)",
        "/snap/v4",
    ] {
        let (result, _) = ask(subject(), create(), vec![page_at(url)]).await;
        assert!(matches!(result, Err(GatewayError::Invalid(_))), "{url}: {result:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_retrieved() {
    let taken = snap_error(400, "transaction_details.order_id has already been taken");
    let (result, requests) = ask(subject(), create(), vec![taken, is("pending")]).await;
    let payment = result.unwrap();
    assert_eq!(calls(&requests), [CREATE, STATUS]);
    assert_eq!(payment.last_try.unwrap().method, "gopay");
    assert!(payment.page.is_none());
    assert_eq!(payment.reference.payment.as_deref(), Some("tx-1"));
}
