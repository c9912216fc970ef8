//! What Midtrans has of a payment, and every kind of answer that is none.

use super::server::{Reply, Server};
use super::{
    GROSS, STATUS, ask, calls, code, create, gateway, is, noon, status, subject, with, with_page,
};
use chrono::TimeDelta;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::payment::{GatewayError, GatewayRequest, Operation, Subject};
use serde_json::json;

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
