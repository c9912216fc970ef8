//! An actor as it is shown.

use super::status::Status;
use serde::Serialize;

/// An actor as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct NodeView {
    /// The kind of actor.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// How often it was started again.
    pub restarts: u64,
    /// Why, the last time.
    pub last_error: Option<String>,
    /// Messages waiting.
    pub mailbox: usize,
    /// Messages handled.
    pub handled: u64,
    /// Milliseconds since it started, for the last time.
    pub uptime_ms: u64,
    /// How many children it has of those that are looked for.
    pub children_total: usize,
    /// The children that are listed.
    pub children: Vec<NodeView>,
    /// The last child listed, when there are more after it.
    pub next_after: Option<String>,
}
