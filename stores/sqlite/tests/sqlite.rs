//! SQLite's stores: the contract that all stores are held to, and what only files can do wrong.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

#[path = "sqlite/audit.rs"]
mod audit;
#[path = "sqlite/backend.rs"]
mod backend;
#[path = "sqlite/contract.rs"]
mod contract;
#[path = "sqlite/files.rs"]
mod files;
#[path = "sqlite/inventory.rs"]
mod inventory;
#[path = "sqlite/notes.rs"]
mod notes;
#[path = "sqlite/snapshot.rs"]
mod snapshot;
#[path = "sqlite/transactions.rs"]
mod transactions;
#[path = "sqlite/unreadable.rs"]
mod unreadable;
#[path = "sqlite/upgrade.rs"]
mod upgrade;
