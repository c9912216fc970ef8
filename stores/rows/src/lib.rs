//! Decodes and encodes Ordermill's rows, the same for every database.
//!
//! ```text
//! query_as!(StoredShipment, …) ──▶ StoredShipment<T> ──▶ shipment() ──▶ Shipment, or Corrupt
//!                                  Uuid, String, i64,    record()   ──▶ Record, for reconciliation
//!                                  T: the database's type for times
//! Saga ──▶ StoredOrigin, StoredState ──▶ to_json ──▶ the text of a JSON column
//! ```
//!
//! A `Stored…` struct has the columns of a query, not yet checked. Its fields are public and have the names of the
//! columns, because `sqlx::query_as!` fills them in. The SQL itself, and how a list of rows becomes the parameters of
//! a statement, is in the stores: the two databases have nothing of it in common.
//!
//! The crate's `Cargo.toml` keeps it so: there is no sqlx and nothing asynchronous.

#![expect(
    missing_docs,
    reason = "a row's field is the column of its name, which the migration describes"
)]
#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod columns;
pub mod dead_letters;
pub mod error;
pub mod gateway;
pub mod inventory;
pub mod notification;
pub mod order;
pub mod outbox;
pub mod payment;
mod record;
pub mod shipping;
#[cfg(test)]
mod tests;

pub use columns::{StoredTime, all_met, count, from_json, to_json};
pub use error::{Corrupt, corrupt};
