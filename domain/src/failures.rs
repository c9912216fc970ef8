//! How often a message has failed.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a consumer has failed on a message, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How often.
    pub count: u32,
    /// The first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Failures {
    /// One more, at this time.
    pub fn and(self, at: Timestamp) -> Self {
        Self { count: self.count + 1, since: self.since.or(Some(at)) }
    }
}
