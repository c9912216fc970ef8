//! Each documented rule, one small test.

mod core;
mod customer;
mod faults;
mod notifications;
mod refund;
mod snap;

use super::{Account, Reaction, Request, State, Target};
use crate::fake_midtrans::fault::Call;
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::transaction::Transaction;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use ordermill_domain::clock::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "SB-Mid-server-ordermill-test-0001";

const ORDER: &str = "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77";

const MINUTE: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A fake with its time, and a merchant who asks it.
struct Rig {
    state: State,
    now: Timestamp,
}

impl Rig {
    fn new() -> Self {
        let account = Account {
            server_key: KEY.to_owned(),
            merchant_id: "G1".to_owned(),
            url: "http://127.0.0.1:1".to_owned(),
        };
        let now = DateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Self { state: State::new(account), now }
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        self.state.tick(self.now);
    }

    fn request(call: Call, id: &str, body: &Value) -> Request {
        let token = BASE64_STANDARD.encode(format!("{KEY}:"));
        Request {
            target: Target { call, id: id.to_owned() },
            authorization: Some(format!("Basic {token}")),
            idempotency_key: None,
            body: body.to_string().into_bytes(),
        }
    }

    fn react(&mut self, request: Request) -> Reaction {
        self.state.react(self.now, request)
    }

    /// The HTTP status and the body of an answer.
    fn http(&mut self, request: Request) -> (u16, Value) {
        match self.react(request) {
            Reaction::Answer(answer) => (answer.http, serde_json::from_str(&answer.body).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    fn snap(&mut self, call: Call, id: &str, body: &Value) -> (u16, Value) {
        self.http(Self::request(call, id, body))
    }

    /// The `status_code` of the body, and the body.
    fn core(&mut self, call: Call, id: &str, body: &Value) -> (String, Value) {
        let (http, body) = self.http(Self::request(call, id, body));
        assert_eq!(http, 200, "{body}");
        (body["status_code"].as_str().unwrap().to_owned(), body)
    }

    fn code(&mut self, call: Call, id: &str) -> String {
        self.core(call, id, &json!({})).0
    }

    /// The words of a status request: `settlement`, or the code where there is no transaction.
    fn status(&mut self, id: &str) -> String {
        let (code, body) = self.core(Call::Status, id, &Value::Null);
        body["transaction_status"].as_str().map_or(code, str::to_owned)
    }

    fn create_with(&mut self, extra: Value) -> (u16, Value) {
        let mut body = page_request();
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.snap(Call::Create, "", &body)
    }

    /// Creates a page of 145000 rupiah. Returns its token.
    fn page(&mut self) -> String {
        let (http, body) = self.create_with(json!({}));
        assert_eq!(http, 201, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }

    /// Has the order paid. Returns the transaction's id.
    fn paid_by(&mut self, method: PaymentType) -> String {
        let token = self.page();
        self.state.pay(self.now, &token, method).unwrap()
    }

    fn latest(&self) -> Transaction {
        self.state.transactions().pop().unwrap()
    }

    fn notified(&self) -> Vec<Value> {
        let all = self.state.notifications.all().iter();
        all.map(|one| serde_json::from_str(&one.body).unwrap()).collect()
    }
}

fn page_request() -> Value {
    json!({"transaction_details": {"order_id": ORDER, "gross_amount": 145_000}})
}
