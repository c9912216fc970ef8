//! The error of a stored value that cannot be read.

use std::fmt::Display;

/// A stored value is not what the service writes, or a value cannot be written as it is stored. Trying again does not
/// help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored value is not a valid {what}: {cause}")]
pub struct Corrupt {
    /// What it should be.
    pub what: &'static str,
    /// Why it is not.
    pub cause: String,
}

/// Turns a cause into the error of a value that should be a `what`. For `map_err`.
pub fn corrupt<E: Display>(what: &'static str) -> impl FnOnce(E) -> Corrupt {
    move |cause| Corrupt { what, cause: cause.to_string() }
}
