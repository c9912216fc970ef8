//! What the parts of a running fake share.

use super::state::State;
use ordermill_domain::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What the parts of a running fake share.
pub(super) struct Shared {
    /// What the fake has.
    pub state: Mutex<State>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Answers that hang wait for this.
    pub released: Notify,
}

impl Shared {
    /// What the fake has, locked.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
