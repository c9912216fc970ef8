//! Values as columns hold them: times, numbers, JSON.

use crate::error::{Corrupt, corrupt};
use ordermill_domain::clock::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A time in the type that the database has for it.
pub trait StoredTime {
    /// The time.
    ///
    /// # Errors
    ///
    /// When it is outside of what a [`Timestamp`] can be.
    fn timestamp(self) -> Result<Timestamp, Corrupt>;
}

/// A column with a type for times, such as `timestamptz`.
impl StoredTime for Timestamp {
    fn timestamp(self) -> Result<Timestamp, Corrupt> {
        Ok(self)
    }
}

/// Microseconds since 1970 UTC.
impl StoredTime for i64 {
    fn timestamp(self) -> Result<Timestamp, Corrupt> {
        Timestamp::from_timestamp_micros(self).ok_or(self).map_err(corrupt("time in microseconds"))
    }
}

/// A number that is narrower than its column, or never negative.
///
/// # Errors
///
/// When the stored number does not fit.
pub fn count<T: TryFrom<i64>>(stored: i64) -> Result<T, Corrupt> {
    T::try_from(stored).map_err(|_| stored).map_err(corrupt("count"))
}

/// The text of a JSON column, or of a JSON parameter. `what` is named in the error.
///
/// # Errors
///
/// When the value has no form in JSON.
pub fn to_json<T: Serialize + ?Sized>(what: &'static str, value: &T) -> Result<String, Corrupt> {
    serde_json::to_string(value).map_err(corrupt(what))
}

/// The value of a JSON column. `what` is named in the error.
///
/// # Errors
///
/// When the text is not the JSON of such a value.
pub fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Corrupt> {
    serde_json::from_str(text).map_err(corrupt(what))
}

/// Checks that a bulk statement wrote as many rows as it was given.
///
/// # Errors
///
/// When `met` is not `expected`: a row is missing that a decision was made on.
pub fn all_met(what: &'static str, met: u64, expected: usize) -> Result<(), Corrupt> {
    match met == expected as u64 {
        true => Ok(()),
        false => Err(corrupt(what)(format!("expected {expected} rows, found {met}"))),
    }
}
