//! How values stand in columns, and how lists of rows become the parameters of a bulk statement.
//!
//! | value | column |
//! |---|---|
//! | identifier | `uuid` |
//! | time | `timestamptz`, whole microseconds |
//! | number | `bigint` |
//! | JSON | `text`: it is only carried, and never asked about |

use ordermill_domain::clock;
use ordermill_domain::clock::Timestamp;
use ordermill_rows::{Corrupt, to_json};
use serde::Serialize;

/// One column of some rows: a parameter for `UNNEST`.
pub fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// One column of JSON. `what` is named in the error.
pub fn json_column<'a, R, T: Serialize>(
    what: &'static str,
    rows: &'a [R],
    of: impl Fn(&'a R) -> T,
) -> Result<Vec<String>, Corrupt> {
    rows.iter().map(|row| to_json(what, &of(row))).collect()
}

/// One column of JSON that may be NULL. `what` is named in the error.
pub fn optional_json_column<'a, R, T: Serialize>(
    what: &'static str,
    rows: &'a [R],
    of: impl Fn(&'a R) -> Option<T>,
) -> Result<Vec<Option<String>>, Corrupt> {
    rows.iter().map(|row| of(row).map(|value| to_json(what, &value)).transpose()).collect()
}

/// A time as it is stored: whole microseconds, cut and not rounded.
pub fn time(time: Timestamp) -> Timestamp {
    clock::storable(time)
}

/// A number on its way into a `bigint`. Versions and counts never come near its end; what does is
/// refused by the CHECK that it is not negative.
pub const fn number(count: u64) -> i64 {
    count.cast_signed()
}
