//! The stores on SQLite: what is common to all, then each service's against its model in memory.

#[path = "stores/common.rs"]
mod common;
#[path = "stores/scratch.rs"]
mod scratch;
