//! The payment's promises: single rules, the whole table of states and answers, and a model that is held against the
//! gateway's own ledger through lost answers, late calls, notifications and repeated commands.

mod bench;
mod model;
mod refunds;
mod rules;
mod table;
