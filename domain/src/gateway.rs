//! The simulated payment gateway's rules: a ledger, a row a key.
//!
//! It knows nothing of orders beyond their ids, and is deterministic: what becomes of a charge hangs
//! on its key, its method and how often it was asked, never on chance or time.
//!
//! | payment method | what it plays |
//! |---|---|
//! | `test_declined` | every charge is declined |
//! | `test_timeout_charged` | the charge is booked, but the first calls get no answer |
//! | `test_timeout_uncharged` | the first calls book nothing and get no answer |
//! | `test_slow` | the first call is answered late |
//! | `test_refund_fails` | the first refunds are refused with an error |
//! | any other | approved, unless its key falls under the failure rate |
//!
//! Which methods new orders may name is decided before, by [`crate::payment::PaymentMethods`]: an order that
//! was placed with a method that is not taken any more still finishes with it.

mod ledger;
mod methods;
mod service;
#[cfg(test)]
mod tests;

pub use ledger::{Booking, Entry, EntryStatus, GatewayResponse};
pub use methods::{GatewayPolicy, TEST_METHODS};
pub use service::{GatewayChange, GatewayWrites, SimulatedGateway};
