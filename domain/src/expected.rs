//! The precondition of a conditional request, compared with the locked row.

/// The versions that a row may have for a request to change it. A version is whatever tells one state
/// of the row from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected<V> {
    /// One of these.
    OneOf(Vec<V>),
    /// Any but these.
    NoneOf(Vec<V>),
}

impl<V> Default for Expected<V> {
    /// Any version.
    fn default() -> Self {
        Self::NoneOf(Vec::new())
    }
}

impl<V: PartialEq> Expected<V> {
    /// True when a row of this version may be changed.
    pub fn admits(&self, version: &V) -> bool {
        match self {
            Self::OneOf(versions) => versions.contains(version),
            Self::NoneOf(versions) => !versions.contains(version),
        }
    }
}
