//! The payment's promises, held against the gateway's own ledger through lost answers, late calls and repeated
//! commands.

mod model;
mod rules;
