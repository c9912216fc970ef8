//! The world in memory: the model that real stores and brokers are held against.
//!
//! Everything is deterministic: a clock that follows tokio's (paused) time, ids that are counted, and
//! stores that commit at once, or fail when they are told to.

mod manual_broker;
mod memory;
mod records;
pub mod shop;
pub mod stores;
mod traces;
mod world;

pub use manual_broker::ManualBroker;
pub use memory::{CommitFault, MemoryStore, MemoryTables};
pub use traces::RecordedTraces;
pub use world::{CountedIds, TokioClock, world};
