//! The adapter against a server that answers what it is told to: which calls a request takes, and what every kind of
//! answer comes to.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

#[path = "adapter/cancel.rs"]
mod cancel;
#[path = "adapter/capture.rs"]
mod capture;
#[path = "adapter/create.rs"]
mod create;
#[path = "adapter/refund.rs"]
mod refund;
#[path = "adapter/retrieve.rs"]
mod retrieve;
#[path = "adapter/server.rs"]
mod server;

use chrono::TimeDelta;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::{Clock, Timestamp};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation, PartKey, PaymentPart,
    Reference, Subject, Terms,
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
    Operation::Refund(PaymentPart {
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
