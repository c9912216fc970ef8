//! Reconciliation: how the records of all services are read, so that they can be compared.
//!
//! The records of a running system are read one after the other, so that they may differ for a moment. Each reader
//! (`ordermill check`, the background check, the demo, the benchmark, the tests) reads a difference a second time before
//! reporting it. The rules that records are compared by are in `ordermill_domain::reconciliation`.

mod reads;
mod sources;

pub use reads::{OrderRecords, ProductRecords};
pub use sources::{Page, Source, Sources};
