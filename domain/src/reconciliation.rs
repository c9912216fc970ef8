//! Reconciliation: what each service says of an order and of a product, compared.
//!
//! ```text
//! order, reservation, payment,            ┐
//! ledger, shipment, audit, notifications ─┤─▶ compare_order   ─▶ disagreements, each with both sides
//! stock, reservations, movements         ─┘─▶ compare_product
//! ```
//!
//! An order is compared when it rests. While it is under way its services are allowed to differ: a command
//! is sent before it is answered. A service that was not asked is not compared.

mod disagreement;
mod events;
mod observation;
mod order;
mod product;
mod records;
mod span;
#[cfg(test)]
mod tests;

pub use disagreement::{Aspect, Disagreement, Statement, Subject};
pub use observation::OrderObservation;
pub use order::{Comparison, OrderSides, Side, Stage, compare_order};
pub use product::compare_product;
pub use records::{
    AuditRecord, LedgerEntry, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord,
    ProductRecord, ReservationRecord, ReservationState, ShipmentRecord, StockRecord,
};
pub use span::{Record, Span};
