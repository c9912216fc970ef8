//! Prints the schemas of every message, as this version writes them and as it reads them:
//!
//!     cargo run -p ordermill-domain --example message_schemas > domain/tests/versions/0.2.0/schemas.json
//!
//! A release commits them; from then on the tests hold every change to them (docs/MESSAGING.md, "Versions").

use ordermill_domain::messages::schema::{messages, read, written};
use serde_json::json;
use std::io::Write as _;

#[expect(
    clippy::disallowed_methods,
    reason = "an example that prints and ends: it may wait for its reader"
)]
fn main() -> std::io::Result<()> {
    let both = json!({"written": messages(written()), "read": messages(read())});
    writeln!(std::io::stdout(), "{both:#}")
}
