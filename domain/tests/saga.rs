//! The saga's rules, held against an imaginary world of services that answer as ours promise to.
//!
//! No runtime, no store, no broker: only decisions. Messages lie in a bag, from which any may be taken
//! next, or taken twice.

#[path = "saga/bench.rs"]
mod bench;
#[path = "saga/choreography.rs"]
mod choreography;
#[path = "saga/lateness.rs"]
mod lateness;
#[path = "saga/matrix.rs"]
mod matrix;
#[path = "saga/news.rs"]
mod news;
#[path = "saga/outcomes.rs"]
mod outcomes;
#[path = "saga/properties.rs"]
mod properties;
