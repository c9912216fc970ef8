//! How values stand in columns, and how lists of rows become the parameters of a bulk statement.
//!
//! | value | column |
//! |---|---|
//! | identifier | `uuid` |
//! | time | `timestamptz`, whole microseconds |
//! | number | `bigint` |
//! | JSON | `text`: it is only carried, and never asked about |

use crate::database::Statement;
use crate::error::Error;
use ordermill_domain::clock;
use ordermill_domain::clock::Timestamp;
use ordermill_rows::{Corrupt, all_met, to_json};
use serde::Serialize;
use sqlx::PgConnection;

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

/// Runs a statement that writes the rows of a list of this length, unless there are none.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    rows: usize,
    statement: Statement,
) -> Result<(), Error> {
    if rows > 0 {
        statement.execute(conn).await?;
    }
    Ok(())
}

/// The same, where each row of the list must meet one that is there. `what` is a row, in errors.
pub(crate) async fn update(
    conn: &mut PgConnection,
    what: &'static str,
    rows: usize,
    statement: Statement,
) -> Result<(), Error> {
    if rows > 0 {
        all_met(what, statement.execute(conn).await?.rows_affected(), rows)?;
    }
    Ok(())
}
