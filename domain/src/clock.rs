//! Time and identity as inputs: nothing in this crate asks the operating system for either.
//!
//! Deciders take the time with their input; actors ask the [`Clock`] and the [`IdSource`] they were
//! given, so that a test or a simulation owns both.

use chrono::{DateTime, SubsecRound, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// A moment of wall-clock time, UTC.
pub type Timestamp = DateTime<Utc>;

/// A time as every store keeps it, in whole microseconds: what is said now must read the same when it
/// is said again from a row.
pub fn storable(time: Timestamp) -> Timestamp {
    time.trunc_subsecs(6)
}

/// Tells the time. Never goes backwards by contract of its users: they only compare and add.
pub trait Clock: Send + Sync + 'static {
    /// The current wall-clock time, [`storable`].
    fn now(&self) -> Timestamp;
}

/// Makes identifiers that are unique for ever and grow with time (UUIDv7), so that indexes stay warm.
pub trait IdSource: Send + Sync + 'static {
    /// A new identifier.
    fn next(&self) -> Uuid;
}

/// Clock and identifiers together, as every actor holds them.
#[derive(Clone)]
pub struct World {
    /// The current time.
    pub clock: Arc<dyn Clock>,
    /// Where new identifiers come from.
    pub ids: Arc<dyn IdSource>,
}

impl World {
    /// The current wall-clock time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new identifier.
    pub fn new_id(&self) -> Uuid {
        self.ids.next()
    }
}
