//! Cursors: where a list goes on. Opaque to clients: base64url of the last entry's sort key.

use crate::api::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A cursor after this key.
pub fn write(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key of a cursor, as `parse` understands it.
pub fn read<T>(
    cursor: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|key| parse(&key))
        .map(Some)
        .ok_or_else(|| {
            Problem::bad_parameter(
                "cursor",
                "is not a cursor of this list; omit it to get the first page",
            )
        })
}
