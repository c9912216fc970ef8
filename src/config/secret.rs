//! A value that must not show in logs, errors or debug output.

use std::fmt;

/// A secret text: printed as `[hidden]`, readable only through [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True when it is empty: an empty setting counts as not set.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// Whether a text may hold a secret that was not meant to be there: an address or a part of one, or an API key. Such a text
/// is not quoted in an error.
pub fn may_hold_secret(text: &str) -> bool {
    text.contains("://") || text.contains('@') || text.contains("omk_")
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
