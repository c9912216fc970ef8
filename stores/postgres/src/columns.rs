//! How values stand in columns, and how lists of rows become the parameters of a bulk statement.
//!
//! | value | column |
//! |---|---|
//! | identifier | `uuid` |
//! | time | `timestamptz`, whole microseconds |
//! | number | `bigint` |
//! | JSON | `text`: it is only carried, and never asked about |

use crate::error::Error;
use ordermill_domain::clock;
use ordermill_domain::clock::Timestamp;

/// One column of some rows: a parameter for `UNNEST`.
pub fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// A time as it is stored: whole microseconds, cut and not rounded.
pub fn time(time: Timestamp) -> Timestamp {
    clock::storable(time)
}

/// A time that stands within JSON, as microseconds since 1970.
pub fn from_micros(micros: i64) -> Result<Timestamp, Error> {
    Timestamp::from_timestamp_micros(micros).ok_or(micros).map_err(Error::corrupt("time"))
}

/// A number that was stored as `bigint`.
pub fn count<T: TryFrom<i64>>(stored: i64) -> Result<T, Error> {
    T::try_from(stored).map_err(|_| stored).map_err(Error::corrupt("count"))
}

/// A number on its way into a `bigint`. Versions and counts never come near its end; what does is
/// refused by the CHECK that it is not negative.
pub const fn number(count: u64) -> i64 {
    count.cast_signed()
}

/// Checks that a bulk statement has met as many rows as it was meant for.
pub fn all_met(what: &'static str, met: u64, meant: usize) -> Result<(), Error> {
    match met == meant as u64 {
        true => Ok(()),
        false => Err(Error::corrupt(what)(format!("expected {meant} rows, found {met}"))),
    }
}
