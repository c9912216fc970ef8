//! The tree of actors, as the server shows it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// An actor, as the server shows it.
#[derive(Debug, Deserialize)]
pub struct Actor {
    pub name: String,
    pub status: String,
    pub restarts: u64,
    pub last_error: Option<String>,
    pub mailbox: u64,
    pub handled: u64,
    pub uptime_ms: u64,
    pub children_total: u64,
    pub children: Vec<Actor>,
}

/// How many there are.
#[derive(Debug, Deserialize)]
pub struct Totals {
    pub actors: u64,
    pub restarts: u64,
    pub by_kind: BTreeMap<String, u64>,
    pub by_status: BTreeMap<String, u64>,
}

/// The tree, as the server shows it.
#[derive(Debug, Deserialize)]
pub struct Tree {
    pub totals: Totals,
    pub actors: Vec<Actor>,
}
