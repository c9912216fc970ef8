//! A fake Midtrans: Snap and Core API as they are documented, with a customer that a test or a person plays, and with
//! faults by script. It keeps everything in memory, and takes the time from a clock that a test can set.
//!
//! ```text
//!                         ┌───────────── FakeMidtrans ─────────────┐
//!  adapter ── HTTP ──▶ server ──▶ State (pure) ──▶ notifications ──▶ notifier ── HTTP ──▶ merchant
//!  customer ─ HTTP ──▶ server ──▶   ▲    ▲
//!  test ── pay, deny, choose, … ────┘    └── Script (faults), Clock
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `state` | what Midtrans has, and the rules by which it changes; no IO |
//! | `transaction`, `payment_type` | one try to pay, and what is documented of each method |
//! | `fault` | the script of what goes wrong |
//! | `notification` | signatures, and when a notification is sent again |
//! | `server`, `response`, `by_hand`, `html`, `overview` | HTTP: the API, the page that a person clicks, what tests ask |
//! | `notifier` | posts notifications |
//! | `shared`, `answer`, `settable_clock` | what these have in common; a test's clock |
//! | `command` | the program for people |
//!
//! Amounts are whole rupiah, as everywhere in Midtrans' API.

mod answer;
mod by_hand;
mod command;
mod fault;
mod html;
mod notification;
mod notifier;
mod overview;
mod payment_type;
mod response;
mod server;
mod settable_clock;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod transaction;

pub use answer::ApiAnswer;
pub use command::{FakeMidtransArgs, run};
pub use fault::{Call, Fault, NotifyFault, PayFault, Script, UnknownFault};
pub use notification::{SentNotification, retry_after, signature, signed};
pub use payment_type::{PaymentType, Refundable};
pub use settable_clock::SettableClock;
pub use state::{
    Account, CustomerError, Page, PageState, Reaction, RecordedRequest, Request, State, Target,
};
pub use transaction::{Fraud, Refund, Status, Transaction};

use ordermill_domain::clock::{Clock, Timestamp};
use server::Server;
use shared::Shared;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How a fake is set up.
#[derive(Clone)]
pub struct FakeSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The merchant's secret.
    pub server_key: String,
    /// The merchant's id.
    pub merchant_id: String,
    /// Where notifications are posted. None: nowhere, until [`FakeMidtrans::notify_to`].
    pub notify: Option<String>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl FakeSettings {
    /// A free port of this machine, the key of the signature vectors, and no notifications.
    pub fn for_test(clock: Arc<dyn Clock>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            server_key: "SB-Mid-server-ordermill-test-0001".to_owned(),
            merchant_id: "G000000001".to_owned(),
            notify: None,
            clock,
        }
    }
}

/// A running fake. It stops when it is dropped.
pub struct FakeMidtrans {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: Mutex<Option<Server>>,
    notifier: JoinHandle<()>,
}

impl FakeMidtrans {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(settings: FakeSettings) -> io::Result<Self> {
        let listener = Server::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let account = Account {
            server_key: settings.server_key,
            merchant_id: settings.merchant_id,
            url: format!("http://{address}"),
        };
        let mut state = State::new(account);
        state.notify = settings.notify;
        let (clock, released) = (settings.clock, Notify::new());
        let shared = Arc::new(Shared { state: Mutex::new(state), clock, released });
        let notifier = tokio::spawn(notifier::run(shared.clone(), notifier::client()?));
        let server = Mutex::new(Some(Server::start(listener, shared.clone())));
        Ok(Self { shared, address, server, notifier })
    }

    /// Its address, for both of Midtrans' hosts: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that it has: to look at it, to play the customer or the bank, to script faults. The time comes from
    /// [`now`](Self::now).
    pub fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.shared.state();
        state.tick(self.now());
        state
    }

    /// Has notifications posted to a URL from now on: a merchant's server may start after the fake.
    pub fn notify_to(&self, url: impl Into<String>) {
        self.state().notify = Some(url.into());
    }

    /// The time by its clock.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Every page, oldest first.
    pub fn pages(&self) -> Vec<Page> {
        self.state().pages().to_vec()
    }

    /// The token of an order's newest page.
    pub fn token_of(&self, order_id: &str) -> Option<String> {
        let state = self.state();
        let newest = state.pages().iter().rfind(|page| page.order_id == order_id);
        newest.map(|page| page.token.clone())
    }

    /// The customer pays at a page. Returns the transaction's id.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn pay(&self, token: &str, method: PaymentType) -> Result<String, CustomerError> {
        self.state().pay(self.now(), token, method)
    }

    /// The bank denies a customer's try. Returns the transaction's id.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn deny(&self, token: &str, method: PaymentType) -> Result<String, CustomerError> {
        self.state().deny(self.now(), token, method)
    }

    /// The customer pays by a card that looks suspicious. Returns the transaction's id.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn challenge(&self, token: &str) -> Result<String, CustomerError> {
        self.state().challenge(self.now(), token)
    }

    /// The customer chooses a method, and does not pay yet. Returns the transaction's id.
    ///
    /// # Errors
    /// When the page cannot be paid so.
    pub fn choose(&self, token: &str, method: PaymentType) -> Result<String, CustomerError> {
        self.state().choose(self.now(), token, method)
    }

    /// The customer closes the page.
    ///
    /// # Errors
    /// When there is no open page.
    pub fn leave(&self, token: &str) -> Result<(), CustomerError> {
        self.state().leave(self.now(), token)
    }

    /// Has the next calls of a kind go wrong, each in one way, after those that are scripted already.
    pub fn fault(&self, call: Call, faults: &[Fault]) {
        let mut state = self.state();
        for fault in faults {
            state.script.call(call, *fault);
        }
    }

    /// Has the next payment at a page do what it should not.
    pub fn pay_fault(&self, fault: PayFault) {
        self.state().script.payment(fault);
    }

    /// Has the next notification go wrong.
    pub fn notify_fault(&self, fault: NotifyFault) {
        self.state().script.notification(fault);
    }

    /// Every transaction as it stands, oldest first.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.state().transactions()
    }

    /// The transaction of an order that was begun last.
    pub fn transaction_of(&self, order_id: &str) -> Option<Transaction> {
        self.transactions().into_iter().rfind(|one| one.order_id == order_id)
    }

    /// Every request of the API, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests().to_vec()
    }

    /// The number of requests of a kind.
    pub fn count(&self, call: Call) -> usize {
        self.state().requests().iter().filter(|request| request.target.call == call).count()
    }

    /// Every notification that was or will be posted, oldest first.
    pub fn notifications(&self) -> Vec<SentNotification> {
        self.state().notifications.all().to_vec()
    }

    /// Lets the answers go out that hang.
    pub fn release(&self) {
        self.shared.released.notify_waiters();
    }

    /// Closes the port and every connection: requests cannot be sent any more.
    pub async fn close_port(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// Opens the port again.
    ///
    /// # Errors
    /// When another process has taken it.
    pub async fn open_port(&self) -> io::Result<()> {
        let listener = Server::bind(self.address).await?;
        let server = Server::start(listener, self.shared.clone());
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }
}

impl Drop for FakeMidtrans {
    fn drop(&mut self) {
        self.notifier.abort();
    }
}
