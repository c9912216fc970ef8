//! How values stand in columns and in the JSON parameters of bulk statements.
//!
//! | value | column | in a JSON parameter |
//! |---|---|---|
//! | identifier | 16-byte BLOB | hex text, hyphens allowed: `unhex(value ->> 'id', '-')` |
//! | time | INTEGER, microseconds since 1970 UTC | number |
//! | number | INTEGER | number |

use crate::error::Error;
use chrono::DateTime;
use ordermill_domain::clock::Timestamp;
use uuid::Uuid;

/// A time as it is stored: whole microseconds.
pub fn micros(time: Timestamp) -> i64 {
    time.timestamp_micros()
}

/// A stored time.
pub fn time(micros: i64) -> Result<Timestamp, Error> {
    DateTime::from_timestamp_micros(micros)
        .ok_or(micros)
        .map_err(Error::corrupt("time in microseconds"))
}

/// Identifiers as a JSON list, for `… IN (SELECT unhex(value) FROM json_each(?1))`.
pub fn ids(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut text = String::from("[");
    let mut buffer = Uuid::encode_buffer();
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(id.as_simple().encode_lower(&mut buffer));
        text.push('"');
    }
    text.push(']');
    text
}

/// A number that is never negative and was stored as INTEGER.
pub fn count<T: TryFrom<i64>>(stored: i64) -> Result<T, Error> {
    T::try_from(stored).map_err(|_| stored).map_err(Error::corrupt("count"))
}

/// Checks that a bulk statement has met as many rows as it was meant for.
pub fn all_met(what: &'static str, met: u64, meant: usize) -> Result<(), Error> {
    match met == meant as u64 {
        true => Ok(()),
        false => Err(Error::corrupt(what)(format!("expected {meant} rows, found {met}"))),
    }
}
