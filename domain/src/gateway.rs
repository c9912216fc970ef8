//! The simulated payment gateway's rules: a ledger, a row a key.
//!
//! It knows nothing of orders beyond their ids, and is deterministic: what becomes of a payment depends on its key, its
//! method, how often it was asked for and the time that it is given, never on chance.
//!
//! | payment method | what it plays |
//! |---|---|
//! | `test_declined` | every payment is declined |
//! | `test_timeout_charged` | the payment is booked, but the first calls get no answer |
//! | `test_timeout_uncharged` | the first calls book nothing and get no answer |
//! | `test_slow` | the first call is answered late |
//! | `test_refund_fails` | the first refunds fail |
//! | `test_refund_by_hand` | no refund is possible by API |
//! | `test_redirect` | the customer pays at a page, and the payment service is told |
//! | `test_redirect_silent` | the same, but the payment service is never told |
//! | `test_redirect_late` | the same, but a page that is cancelled is paid all the same, one second later |
//! | `test_review` | the money is captured, but counts only once somebody has accepted the payment |
//! | any other | approved, unless its key falls under the failure rate |
//!
//! Which methods new orders may name is decided before, by [`crate::payment::PaymentMethods`]: an order that
//! was placed with a method that is not taken any more still finishes with it.

mod entry;
mod ledger;
mod methods;
mod response;
mod service;
#[cfg(test)]
mod tests;

pub use entry::{Booking, Details, Entry, EntryStatus, LedgerRefund, Review};
pub use ledger::LATE_MONEY_AFTER;
pub use methods::{GatewayPolicy, TEST_METHODS};
pub use response::{GatewayResponse, LedgerAnswer, LedgerNotification, Visit, VisitOutcome};
pub use service::{GatewayChange, GatewayWrites, SimulatedGateway};
