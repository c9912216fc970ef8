//! Reconciliation: how the records of all services are read, so that they can be compared.
//!
//! Whoever reads them (`ordermill check`, the background check, the demo, the bench, the tests) has to read a difference
//! again before it counts: the records of a running system are read one after the other. What is compared with what is in
//! `ordermill_domain::reconciliation`.

mod reads;
mod sources;

pub use reads::{OrderRecords, ProductRecords};
pub use sources::{Page, Source, Sources};
