//! The status of an actor.

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

/// The status of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }
}
