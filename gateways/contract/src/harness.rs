//! What a gateway must offer to be held to the contract.

use async_trait::async_trait;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::money::Money;
use ordermill_domain::payment::Page;
use std::time::Duration;

/// What a customer does at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Pays, at once or what was chosen before.
    Pay,
    /// Tries to pay, and is denied.
    BeDenied,
    /// Chooses the method, and does not pay yet.
    Choose,
    /// Closes the page.
    Leave,
}

/// A gateway without payments, its customers and its time.
///
/// A gateway may keep one page for a payment: a second page then has the address of the first, with a new end, and the
/// first is not tried once it is replaced.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The gateway.
    fn gateway(&self) -> &dyn PaymentGateway;

    /// What an order costs: in a currency that the gateway takes, an amount of which it can give back tenths.
    fn due(&self) -> Money;

    /// A method at a page that settles as soon as it is paid, and any part of which can be given back by API.
    fn method(&self) -> &'static str;

    /// A method at a page, of which nothing can be given back by API. None: there is none.
    fn method_without_refunds(&self) -> Option<&'static str>;

    /// Has the customer act at a page by a method. False: that is not possible there.
    async fn act(&self, page: &Page, method: &str, act: Act) -> bool;

    /// The time, as the gateway and its provider see it.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    async fn advance(&self, by: Duration);
}
