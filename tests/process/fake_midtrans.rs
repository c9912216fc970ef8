//! A fake Midtrans in a process of its own: tests play its customers and banks, and count what it was asked.

use super::server::bare_lab;
use super::setup::Setup;
use ordermill_client::Method;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// The secret that requests and notifications need.
pub const SERVER_KEY: &str = "SB-Mid-server-ordermill-test-0001";
/// Before an order's id, in Midtrans' name of the order.
const PREFIX: &str = "om-";

/// A fake Midtrans. It ends with this value.
pub struct FakeMidtrans {
    child: Child,
    /// Both of Midtrans' servers.
    pub url: String,
    http: reqwest::Client,
}

/// A page at which a customer can pay.
#[derive(Clone, Debug)]
pub struct FakePage {
    token: String,
}

impl FakeMidtrans {
    /// One with this key that notifies a server of this setup, which has a port of its own.
    pub fn start(setup: &Setup, key: &str) -> Self {
        let notify = format!("http://{}/webhooks/midtrans", setup.listen());
        let mut command = bare_lab();
        command.args(["fake-midtrans", "--listen", "127.0.0.1:0", "--notify", &notify]);
        command.args(["--server-key", key]).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = said.next().expect("it says where it listens").unwrap();
        let (_, url) = line.trim_end_matches('/').rsplit_once(" at ").expect(&line);
        // A pipe that nobody reads would be closed while it writes.
        std::thread::spawn(move || said.map_while(Result::ok).for_each(drop));
        Self { child, url: url.to_owned(), http: reqwest::Client::new() }
    }

    /// The setup of a server that has its rupiah paid here.
    pub fn configures(&self, setup: Setup) -> Setup {
        setup
            .with("ORDERMILL_GATEWAYS", "midtrans:IDR; simulated:*")
            .with("MIDTRANS_SERVER_KEY", SERVER_KEY)
            .with("MIDTRANS_API_URL", &self.url)
            .with("MIDTRANS_SNAP_URL", &self.url)
    }

    /// Everything that it has.
    pub async fn state(&self) -> Value {
        let answer = self.http.get(format!("{}/_test/state", self.url)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// How often it was asked for something, such as `create` or `refund`.
    pub async fn asked(&self, call: &str) -> u64 {
        self.state().await["requests"][call].as_u64().unwrap_or(0)
    }

    /// The pages and transactions of an order, under these names.
    pub async fn of_order(&self, what: &str, order: &str) -> Vec<Value> {
        let name = format!("{PREFIX}{order}");
        let all = self.state().await[what].as_array().unwrap().clone();
        all.into_iter().filter(|one| one["order_id"] == name).collect()
    }

    /// What the customer has paid and got back by now, in all transactions of an order.
    pub async fn paid_and_refunded(&self, order: &str) -> (i64, i64) {
        let paid = ["capture", "settlement", "partial_refund", "refund"];
        let sum = |(paid_sum, refunded): (i64, i64), one: &Value| {
            let is_paid = paid.contains(&one["status"].as_str().unwrap());
            let gross = if is_paid { one["gross_amount"].as_i64().unwrap() } else { 0 };
            (paid_sum + gross, refunded + one["refunded"].as_i64().unwrap())
        };
        self.of_order("transactions", order).await.iter().fold((0, 0), sum)
    }

    /// The page at this address.
    pub fn page_at(&self, url: &str) -> FakePage {
        assert!(url.starts_with(&self.url), "{url}");
        FakePage { token: url.rsplit('/').next().unwrap().to_owned() }
    }

    /// The customer does something at a page, such as `pay`. True: the page allowed it.
    pub async fn customer(&self, page: &FakePage, action: &str, method: &str) -> bool {
        self.post(&format!("pages/{}/{action}?type={method}", page.token)).await
    }

    /// The bank does something with a transaction, such as `reverse`.
    pub async fn bank(&self, transaction: &str, action: &str) {
        assert!(self.post(&format!("transactions/{transaction}/{action}")).await, "{action}");
    }

    /// Has the next call, `pay` or `notify` go wrong.
    pub async fn fault(&self, call: &str, fault: &str) {
        assert!(self.post(&format!("faults?call={call}&fault={fault}")).await, "{fault} of {call}");
    }

    /// Has it post again what the server did not take.
    pub async fn resend(&self) {
        assert!(self.post("resend").await);
    }

    async fn post(&self, path: &str) -> bool {
        let url = format!("{}/_test/{path}", self.url);
        self.http.request(Method::POST, url).send().await.unwrap().status().is_success()
    }
}

impl Drop for FakeMidtrans {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
