//! The promises of a service's components, on a toy service, the in-memory store and the in-process broker.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

#[path = "components/consumer.rs"]
mod consumer;
#[path = "components/dead_letters.rs"]
mod dead_letters;
#[path = "components/entity.rs"]
mod entity;
#[path = "components/journal.rs"]
mod journal;
#[path = "components/relay.rs"]
mod relay;
#[path = "components/supervision.rs"]
mod supervision;
#[path = "components/toy.rs"]
mod toy;
#[path = "components/traces.rs"]
mod traces;
