//! Reconciliation: what each service says of an order and of a product, compared. Pure.
//!
//! ```text
//! order, reservation, payment,            ┐
//! ledger, shipment, audit, notifications ─┤─▶ compare_order   ─▶ disagreements, each with both sides
//! stock, reservations, movements         ─┘─▶ compare_product
//! ```
//!
//! An order is compared when it rests. While it is under way its services are allowed to differ: a command
//! is sent before it is answered. A service that was not asked is not compared.
//!
//! Whoever reads the records (`ordermill check`, the background check, the demo, the bench, the tests) has to
//! read a difference again before it counts: the records of a running system are read one after the other.

mod disagreement;
mod events;
mod observation;
mod order;
mod product;
mod reads;
mod records;
mod sources;
#[cfg(test)]
mod tests;

pub use disagreement::{Aspect, Disagreement, Statement, Subject};
pub use observation::OrderObservation;
pub use order::{Comparison, OrderSides, Side, Stage, compare_order};
pub use product::compare_product;
pub use reads::{OrderRecords, ProductRecords, Record, Span};
pub use records::{
    AuditRecord, LedgerEntry, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord,
    ProductRecord, ReservationRecord, ReservationState, ShipmentRecord, StockRecord,
};
pub use sources::{Page, Source, Sources};
