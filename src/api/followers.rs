//! The open event streams, each with the order that it follows.

use ordermill_domain::ids::OrderId;
use ordermill_domain::order::HistoryRow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::mpsc;

/// A stream that is open.
pub(super) struct Follower {
    pub(super) order: OrderId,
    pub(super) next: u32,
    pub(super) rows: mpsc::Sender<HistoryRow>,
}

/// Everybody who follows an order.
#[derive(Default)]
pub struct Followers(Mutex<HashMap<u64, Follower>>);

impl Followers {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u64, Follower>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Those whose streams are still open.
    pub(super) fn open(&self) -> MutexGuard<'_, HashMap<u64, Follower>> {
        let mut followers = self.lock();
        followers.retain(|_, follower| !follower.rows.is_closed());
        followers
    }
}
