//! What is to be simulated.

use ordermill_actors::testing::shop::Way;
use ordermill_domain::planted::Bug;
use std::time::Duration;

/// The longest that orders may take to come to rest once nothing goes wrong any more: the longest
/// back-off of a re-send, a few times over.
pub const CALM_MAX: Duration = Duration::from_secs(3 * 3_600);

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// Orders compete for stock and time, and customers do what comes to their minds.
    Drawn,
    /// There is enough of everything or nothing at all, and customers know what they want: whatever goes
    /// wrong, the end is certain.
    Ample,
}

/// What is to be simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed: it decides everything.
    pub seed: u64,
    /// Keep what happened, line by line, to be read.
    pub kept: bool,
    /// How orders go. None: each process has a way of its own.
    pub way: Option<Way>,
    /// What it is about.
    pub mode: RunMode,
    /// How long everything may take to come to rest once nothing goes wrong any more.
    pub patience: Duration,
    /// A mistake in the system, in builds that have them.
    pub bug: Option<Bug>,
}

impl Plan {
    /// A seed's ordinary run.
    pub const fn of(seed: u64) -> Self {
        Self { seed, kept: false, way: None, mode: RunMode::Drawn, patience: CALM_MAX, bug: None }
    }
}
