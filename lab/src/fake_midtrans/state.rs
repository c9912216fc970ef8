//! What the fake has: pages, transactions, notifications. Pure: no IO, and the time comes with each call.
//!
//! | file | what happens there |
//! |---|---|
//! | `state/create.rs` | Snap: a page is created, by the documented rules |
//! | `state/page.rs` | Snap: a page, and its end |
//! | `state/customer.rs` | what a customer does at a page |
//! | `state/core.rs` | Core API: status, cancel, expire, capture, approve, deny |
//! | `state/refund.rs` | Core API: refund |
//! | `state/request.rs` | a request of the API |
//! | `state/exchange.rs` | a request with its authorisation, fault and answer |

mod core;
mod create;
mod customer;
mod exchange;
mod page;
mod refund;
mod request;
#[cfg(test)]
mod tests;

pub use customer::CustomerError;
pub use exchange::Reaction;
pub use page::{Page, PageState};
pub use request::{RecordedRequest, Request, Target};

use super::fault::{NotifyFault, Script};
use super::notification::Notifications;
use super::transaction::{History, Status, Transaction};
use ordermill_domain::clock::Timestamp;
use request::KeptAnswer;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// After this the bank confirms a refund, and the second notification is sent.
pub const BANK_CONFIRMS_AFTER: Duration = Duration::from_secs(60);

/// How far looks lag behind a notification that comes early.
pub const EARLY_BY: Duration = Duration::from_secs(2);

/// Whose account it is, and where the fake is reached.
#[derive(Clone)]
pub struct Account {
    /// The secret of the merchant.
    pub server_key: String,
    /// The merchant's id.
    pub merchant_id: String,
    /// The fake's own address, without a slash at the end.
    pub url: String,
}

/// Everything that the fake has.
pub struct State {
    /// The merchant's account. A test may change the key.
    pub account: Account,
    /// What goes wrong next.
    pub script: Script,
    /// Whole rupiah that the merchant has for refunds. None: always enough.
    pub balance: Option<i64>,
    /// Where notifications are posted. None: nowhere, and they wait.
    pub notify: Option<String>,
    /// What was or will be posted.
    pub notifications: Notifications,
    pages: Vec<Page>,
    transactions: Vec<History>,
    requests: Vec<RecordedRequest>,
    idempotent: HashMap<String, KeptAnswer>,
    ids: u128,
}

impl State {
    /// An account without pages.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            script: Script::default(),
            balance: None,
            notify: None,
            notifications: Notifications::default(),
            pages: Vec::new(),
            transactions: Vec::new(),
            requests: Vec::new(),
            idempotent: HashMap::new(),
            ids: 0,
        }
    }

    /// Lets the time come: what is pending or held expires, and banks confirm refunds.
    pub fn tick(&mut self, now: Timestamp) {
        for index in 0..self.transactions.len() {
            let transaction = self.transactions[index].current();
            let waits = matches!(transaction.status, Status::Pending | Status::Authorize);
            if waits && transaction.expires_at <= now {
                self.change(now, index, |transaction| transaction.status = Status::Expire);
            }
            self.confirm_refunds(now, index);
        }
        self.forget_answers(now);
    }

    /// Every transaction as it stands, oldest first.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.transactions.iter().map(|history| history.current().clone()).collect()
    }

    /// Every page, oldest first.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Every request, oldest first.
    pub fn requests(&self) -> &[RecordedRequest] {
        &self.requests
    }

    /// A new id: the same ones in each run.
    fn new_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::new_v5(&Uuid::from_u128(self.ids), b"midtrans")
    }

    /// The newest transaction of an order.
    fn latest_of_order(&self, order_id: &str) -> Option<usize> {
        self.transactions.iter().rposition(|history| history.current().order_id == order_id)
    }

    /// A transaction by its own id, or the newest one of an order.
    fn find(&self, id: &str) -> Option<usize> {
        let own = self.transactions.iter().position(|one| one.current().transaction_id == id);
        own.or_else(|| self.latest_of_order(id))
    }

    /// Changes a transaction, and tells the merchant.
    fn change(&mut self, now: Timestamp, index: usize, change: impl FnOnce(&mut Transaction)) {
        self.transactions[index].change(now, change);
        self.tell(now, index);
    }

    /// Notifies the merchant of how a transaction stands.
    fn tell(&mut self, now: Timestamp, index: usize) {
        let fault = self.script.next_of_notification();
        if fault == Some(NotifyFault::Early) {
            self.transactions[index].hide_until(now + EARLY_BY);
        }
        let transaction = self.transactions[index].current();
        // The notification of an expiry says 202 where a status request answers 407.
        let code = match transaction.status {
            Status::Expire => "202",
            _ => transaction.status_code(),
        };
        let body =
            transaction.body(&self.account.merchant_id, code, "midtrans payment notification");
        let id = transaction.transaction_id.clone();
        self.notifications.add(now, &id, body, &self.account.server_key, fault);
    }
}
