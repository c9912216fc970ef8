//! What the demo plays, and how long it took.

use crate::key_arg::KeyArg;
use std::time::Duration;

/// What the demo plays, and where.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// The server, as `http://127.0.0.1:8080`, without a slash at its end.
    pub url: String,
    /// The API key.
    pub key: KeyArg,
    /// How many orders are placed.
    pub orders: usize,
    /// True when the server's payment pages end within seconds: a customer who does not pay is waited for.
    pub pages_end_soon: bool,
}

/// How long the day took.
pub(super) struct Pace {
    pub placed: Duration,
    pub settled: Duration,
}
