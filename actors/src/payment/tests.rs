//! The payment's promises, held against the gateway's own ledger through lost answers, late calls,
//! repeated commands and crashes.

mod actor;
mod model;
mod rules;
