//! The stations' promises, on a toy service, the in-memory store and the in-process broker.

#[path = "stations/consumer.rs"]
mod consumer;
#[path = "stations/dead_letters.rs"]
mod dead_letters;
#[path = "stations/entity.rs"]
mod entity;
#[path = "stations/journal.rs"]
mod journal;
#[path = "stations/relay.rs"]
mod relay;
#[path = "stations/supervision.rs"]
mod supervision;
#[path = "stations/toy.rs"]
mod toy;
