//! Inventory: its rules by properties, and its actors on the store in memory.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "testing")]

#[path = "inventory/actors.rs"]
mod actors;
#[path = "inventory/bench.rs"]
mod bench;
#[path = "inventory/rules.rs"]
mod rules;
