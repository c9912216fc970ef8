//! Inventory: its rules by properties, and its actors on the store in memory.
#![cfg(feature = "testing")]

#[path = "inventory/actors.rs"]
mod actors;
#[path = "inventory/bench.rs"]
mod bench;
#[path = "inventory/rules.rs"]
mod rules;
