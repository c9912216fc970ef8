//! The status of an actor.

use serde::Serialize;

/// The status of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not started yet.
    Starting,
    /// Handling messages.
    Running,
    /// Failed; it is started again after a pause.
    Restarting,
    /// Ended, as it was told to.
    Stopped,
    /// Failed too often; what it is told is refused until an operator releases it.
    Quarantined,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Starting, Self::Running, Self::Restarting, Self::Stopped, Self::Quarantined];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopped => "stopped",
            Self::Quarantined => "quarantined",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}
