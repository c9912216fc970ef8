//! How values stand in columns and in the JSON parameters of bulk statements.
//!
//! | value | column | in a JSON parameter |
//! |---|---|---|
//! | identifier | 16-byte BLOB | hex text, hyphens allowed: `unhex(value ->> 'id', '-')` |
//! | time | INTEGER, microseconds since 1970 UTC | number |
//! | number | INTEGER | number |

use ordermill_domain::clock::Timestamp;
use ordermill_rows::{Corrupt, to_json};
use serde::Serialize;
use uuid::Uuid;

/// A time as it is stored: microseconds since 1970 UTC.
pub type Micros = i64;

/// A time on its way into its column.
pub fn micros(time: Timestamp) -> Micros {
    time.timestamp_micros()
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

/// Rows as a JSON list, for `… FROM jsonb_each(?)`. `what` is named in the error.
pub fn json_rows<T: Serialize>(
    what: &'static str,
    rows: impl IntoIterator<Item = T>,
) -> Result<String, Corrupt> {
    to_json(what, &rows.into_iter().collect::<Vec<_>>())
}
