//! Roles: what kind of caller a principal is.

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// What kind of caller a principal is. What each may do: [`super::Permission::of_role`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// One customer, for what is his own.
    Customer,
    /// The shop's back end.
    Shop,
    /// Looks after the system, and sells nothing.
    Operator,
    /// Everything, API keys included.
    Admin,
    /// Reads metrics, as Prometheus does.
    Metrics,
}

impl Role {
    /// Every role.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The role's name in keys, settings and documents.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
