//! The whole shop in memory: orders of every outcome, buyers who race for the last unit, processes that die.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(clippy::print_stderr, reason = "measurements are printed")]

#[path = "shop/crash.rs"]
mod crash;
#[path = "shop/flows.rs"]
mod flows;
#[path = "shop/killed.rs"]
mod killed;
#[path = "shop/outage.rs"]
mod outage;
#[path = "shop/outcomes.rs"]
mod outcomes;
#[path = "shop/oversell.rs"]
mod oversell;
#[path = "shop/pages.rs"]
mod pages;
#[path = "shop/traces.rs"]
mod traces;
