//! The adapter against a server that answers what it is told to: which calls a request takes, and what every kind of
//! answer comes to.

#[path = "adapter/server.rs"]
mod server;

use chrono::TimeDelta;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::{Clock, Timestamp};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation, Part, PartKey, Reference,
    RefundProgress, Ruling, Subject, Terms,
};
use ordermill_midtrans::{BaseUrl, Environment, Midtrans, MidtransSettings, ServerKey};
use serde_json::{Value, json};
use server::{Reply, Server};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const KEY: &str = "SB-Mid-server-ordermill-test-0001";
const NAME: &str = "om-00000000-0000-0000-0000-000000000007";
/// 145000 rupiah.
const GROSS: i64 = 14_500_000;
const PART: PartKey = PartKey(Uuid::from_u128(5));

/// Always the same moment.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        noon()
    }
}

fn noon() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn rupiah(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("IDR").unwrap() }
}

fn subject() -> Subject {
    let order_id = OrderId(Uuid::from_u128(7));
    Subject {
        key: GatewayKey::of(order_id),
        order_id,
        due: rupiah(GROSS),
        method: "gopay".into(),
        reference: Reference::default(),
        page_ends_at: None,
    }
}

/// With a page that ends in ten minutes.
fn with_page() -> Subject {
    let reference = Reference { page: Some("tok-1".into()), payment: None };
    Subject { reference, page_ends_at: Some(noon() + TimeDelta::minutes(10)), ..subject() }
}

fn gateway(server: &Server) -> Midtrans {
    let key = ServerKey::parse(KEY).unwrap();
    let mut settings = MidtransSettings::new(Environment::Sandbox, key);
    settings.api_url = BaseUrl::parse(server.url()).unwrap();
    settings.snap_url = settings.api_url.clone();
    settings.timeout = Duration::from_millis(500);
    Midtrans::new(settings, Arc::new(Noon)).unwrap()
}

/// Asks a gateway whose server gives these answers, and says which calls were made.
async fn ask(
    subject: Subject,
    operation: Operation,
    replies: Vec<Reply>,
) -> (Result<GatewayPayment, GatewayError>, Vec<server::Request>) {
    let server = Server::start(replies).await;
    let result = gateway(&server).ask(GatewayRequest { subject, operation }).await;
    (result, server.requests())
}

fn calls(requests: &[server::Request]) -> Vec<&str> {
    requests.iter().map(|request| request.line.as_str()).collect()
}

fn create() -> Operation {
    let expires_at = noon() + TimeDelta::minutes(12);
    Operation::Create(Terms { at: noon(), expires_at, refundable_only: false })
}

fn refund(minor: i64, asked_before: TimeDelta) -> Operation {
    Operation::Refund(Part {
        key: PART,
        amount: rupiah(minor),
        asked_at: noon() - asked_before,
        reason: "broken".into(),
    })
}

fn status(word: &str) -> Value {
    json!({
        "status_code": "200",
        "status_message": "Success",
        "transaction_id": "tx-1",
        "order_id": NAME,
        "gross_amount": "145000.00",
        "currency": "IDR",
        "payment_type": "gopay",
        "transaction_status": word,
        "fraud_status": "accept",
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Reply {
    body[name] = value;
    Reply::json(200, &body)
}

fn is(word: &str) -> Reply {
    Reply::json(200, &status(word))
}

fn code(code: &str) -> Reply {
    Reply::json(200, &json!({ "status_code": code, "status_message": "said so" }))
}

fn snap_error(http: u16, text: &str) -> Reply {
    Reply::json(http, &json!({ "error_messages": [text] }))
}

fn page_cancelled() -> Reply {
    Reply::json(200, &json!({ "canceled_at": "2026-12-01T12:00:00Z" }))
}

fn page_at(url: &str) -> Reply {
    Reply::json(201, &json!({ "token": "tok-1", "redirect_url": url }))
}

const STATUS: &str = "GET /v2/om-00000000-0000-0000-0000-000000000007/status";
const CREATE: &str = "POST /snap/v1/transactions";
const CANCEL_PAGE: &str = "POST /snap/v1/transactions/tok-1/cancel";

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

#[tokio::test]
async fn every_kind_of_failure_has_its_class() {
    let unknown = |error: &GatewayError| matches!(error, GatewayError::Unknown(_));
    let invalid = |error: &GatewayError| matches!(error, GatewayError::Invalid(_));
    let rejected = |error: &GatewayError| matches!(error, GatewayError::Rejected { .. });
    let misconfigured = |error: &GatewayError| matches!(error, GatewayError::Misconfigured(_));
    type Class<'a> = &'a dyn Fn(&GatewayError) -> bool;
    let busy = |error: &GatewayError| matches!(error, GatewayError::Busy { after } if after.as_secs() == 17);
    let cases: Vec<(&str, Reply, Class<'_>)> = vec![
        ("keys", code("401"), &misconfigured),
        ("keys in HTTP", Reply::text(401, "no"), &misconfigured),
        ("no access", code("402"), &rejected),
        ("hasty", Reply::text(429, "slow down").retry_after(17), &busy),
        ("away for a while", Reply::text(503, "").retry_after(17), &busy),
        ("in process", Reply::json(202, &json!({})).retry_after(17), &busy),
        ("broken", Reply::text(500, "oops"), &unknown),
        ("broken, and says that it is not", Reply::json(500, &status("settlement")), &unknown),
        ("away", Reply::text(503, ""), &unknown),
        ("HTML", Reply::text(200, "<html>Welcome</html>"), &unknown),
        ("half JSON", Reply::text(200, "{\"status_code\":\"200\""), &unknown),
        ("nothing", Reply::text(200, ""), &unknown),
        ("elsewhere", Reply::text(302, "").header("location: http://127.0.0.1:1/"), &unknown),
        ("huge", Reply::text(200, &" ".repeat(2_000_000)), &unknown),
        ("no status", Reply::json(200, &json!({ "status_code": "200" })), &unknown),
        ("of another server", Reply::json(404, &json!({ "error": "no route" })), &unknown),
        ("new word", is("magic"), &unknown),
        ("other currency", with(status("settlement"), "currency", json!("USD")), &invalid),
        ("other order", with(status("settlement"), "order_id", json!("om-8")), &invalid),
        ("no amount", with(status("settlement"), "gross_amount", json!("much")), &invalid),
        ("reset", Reply::Reset, &unknown),
        ("silence", Reply::Silence, &unknown),
    ];
    for (name, reply, is_class) in cases {
        let (result, requests) = ask(subject(), Operation::Retrieve, vec![reply]).await;
        let error = result.expect_err(name);
        assert!(is_class(&error), "{name}: {error:?}");
        assert_eq!(requests.len(), 1, "{name}: nothing is asked twice by itself");
        assert!(!format!("{error:?}{error}").contains("tok-1"), "{error:?}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_asked() {
    let server = Server::start(Vec::new()).await;
    let gateway = gateway(&server);
    server.stop().await;
    let request = GatewayRequest { subject: subject(), operation: create() };
    let error = gateway.ask(request).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn no_transaction_is_the_end_only_when_the_page_is_over() {
    for (minutes, closed) in [(Some(10), false), (Some(-1), false), (Some(-3), true), (None, false)]
    {
        let page_ends_at = minutes.map(|minutes| noon() + TimeDelta::minutes(minutes));
        let subject = Subject { page_ends_at, ..with_page() };
        let (result, _) = ask(subject, Operation::Retrieve, vec![code("404")]).await;
        assert_eq!(result.unwrap().closed, closed, "{minutes:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_over_gives_way_to_the_next_one() {
    let mut known = with_page();
    known.reference.payment = Some("tx-0".into());
    let by_id = "GET /v2/tx-0/status";
    let (result, requests) =
        ask(known.clone(), Operation::Retrieve, vec![is("deny"), is("settlement")]).await;
    assert_eq!(calls(&requests), [by_id, STATUS]);
    assert_eq!(result.unwrap().captured_minor, GROSS);

    let (result, requests) =
        ask(known.clone(), Operation::Retrieve, vec![is("deny"), code("404")]).await;
    assert_eq!(requests.len(), 2);
    assert!(result.unwrap().last_try.unwrap().denied.is_some());

    // Expired is told with a code that is no failure here.
    let expired = with(status("expire"), "status_code", json!("407"));
    let (result, _) = ask(with_page(), Operation::Retrieve, vec![expired]).await;
    assert_eq!(result.unwrap().status_text, "expire/accept");

    let (result, requests) = ask(known, Operation::Retrieve, vec![is("pending")]).await;
    assert!(result.is_ok());
    assert_eq!(calls(&requests), [by_id]);
}

#[tokio::test]
async fn a_reference_never_becomes_another_path() {
    let mut odd = with_page();
    odd.reference.payment = Some("../../v2/other".into());
    let (result, requests) = ask(odd, Operation::Retrieve, Vec::new()).await;
    assert!(matches!(result, Err(GatewayError::Invalid(_))));
    assert!(requests.is_empty());
}

#[tokio::test]
async fn the_page_is_cancelled_before_the_transaction() {
    let replies = vec![page_cancelled(), is("pending"), is("cancel")];
    let (result, requests) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert!(payment.closed);
    assert_eq!((payment.captured_minor, payment.refunded_minor), (0, 0));
    assert_eq!(calls(&requests), [CANCEL_PAGE, STATUS, "POST /v2/tx-1/cancel"]);

    for text in ["token already canceled", "token not found"] {
        let replies = vec![snap_error(400, text), code("404")];
        let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
        assert!(result.unwrap().closed, "{text}");
    }
}

#[tokio::test]
async fn a_lost_page_is_replaced_to_be_cancelled() {
    let url = "https://app.sandbox.midtrans.com/x";
    let replies = vec![page_at(url), page_cancelled(), code("404")];
    let (result, requests) = ask(subject(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert!(payment.closed && payment.page.is_none());
    assert_eq!(calls(&requests), [CREATE, CANCEL_PAGE, STATUS]);

    let taken = snap_error(400, "transaction_details.order_id sudah digunakan");
    let replies = vec![taken, is("pending"), is("cancel")];
    let (result, requests) = ask(subject(), Operation::Cancel, replies).await;
    assert!(result.unwrap().closed);
    assert_eq!(calls(&requests), [CREATE, STATUS, "POST /v2/tx-1/cancel"]);
}

#[tokio::test]
async fn a_try_that_cannot_be_stopped_is_no_end() {
    for text in ["Transaction is on progress", "Transaction is in progress"] {
        for found in [code("404"), is("pending"), is("authorize"), is("deny")] {
            let replies = vec![snap_error(400, text), found];
            let (result, requests) = ask(with_page(), Operation::Cancel, replies).await;
            assert!(matches!(result, Err(GatewayError::Unknown(_))), "{text}");
            assert_eq!(calls(&requests), [CANCEL_PAGE, STATUS]);
        }
        let replies = vec![snap_error(400, text), is("settlement")];
        let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
        assert_eq!(result.unwrap().captured_minor, GROSS);
    }
}

#[tokio::test]
async fn money_that_was_faster_than_the_cancel_is_told() {
    let replies = vec![page_cancelled(), is("pending"), code("412"), is("settlement")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (GROSS, 0));

    let replies = vec![page_cancelled(), is("pending"), code("412"), is("pending")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    assert!(!result.unwrap().closed, "it may still be paid");
}

#[tokio::test]
async fn the_cancel_of_a_captured_card_gives_all_of_it_back() {
    let replies = vec![page_cancelled(), is("capture"), is("cancel")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (GROSS, GROSS));
    assert!(payment.closed);
}

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

#[tokio::test]
async fn what_is_held_is_captured_once() {
    let part = Part { key: PART, amount: rupiah(GROSS), asked_at: noon(), reason: String::new() };
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
