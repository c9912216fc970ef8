//! Failed actors are restarted; those that keep failing are quarantined or take their supervisor along; those that are
//! silent are noticed; and all of it can be seen.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

#[path = "supervision/escalation.rs"]
mod escalation;
#[path = "supervision/quarantine.rs"]
mod quarantine;
#[path = "components/toy.rs"]
#[expect(dead_code, reason = "the stations' own tests use all of it")]
mod toy;
#[path = "supervision/tree.rs"]
mod tree;
#[path = "supervision/watchdog.rs"]
mod watchdog;
