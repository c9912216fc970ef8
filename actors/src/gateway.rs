//! The simulated payment gateway as the payment service reaches it, with a ledger that tests and reconciliation compare
//! with.
//!
//! ```text
//! payment ───port──▶ GatewayHandle ──change──▶ journal ──decide_batch──▶ ledger (a row a key)
//! customer ─visit──▶     ▲                                           │ (committed)
//!                        ├── the answer, late or never, as the method plays it
//!                        └── a notification, where the method sends one
//! ```

mod handle;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod no_outbox;
mod reads;
#[cfg(test)]
mod tests;
mod wiring;

pub use handle::{GatewayHandle, NotificationListener};
pub use no_outbox::NoOutboxListener;
pub use reads::{GatewayReads, Sums, Totals};
pub use wiring::wire;
