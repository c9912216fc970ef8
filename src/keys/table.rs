//! What is printed of API keys.

use crate::table::Table;
use ordermill_client::{CreatedKey, Key};
use serde_json::json;

/// The key alone, for a variable of a script.
pub(super) fn show_created(created: &CreatedKey) {
    crate::say!("{}", created.api_key);
}

/// The keys that are there, with what is known of each.
pub(super) fn show(keys: &[Key], json: bool) {
    match (json, keys.is_empty()) {
        (true, _) => keys.iter().for_each(|key| crate::say!("{}", json!(key))),
        (false, true) => crate::say!("no API keys"),
        (false, false) => crate::print::text(&of(keys)),
    }
}

/// Keys, one a line.
fn of(keys: &[Key]) -> String {
    let mut table = Table::new(&[
        "id", "role", "status", "customer", "name", "created", "by", "expires", "reason",
    ]);
    for key in keys {
        let time =
            |time: &chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%MZ").to_string();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        table.plain(vec![
            key.id.clone(),
            key.role.clone(),
            key.status.clone(),
            text(&key.customer_id),
            key.name.clone(),
            time(&key.created_at),
            key.created_by.clone(),
            key.expires_at.as_ref().map_or_else(|| "never".to_owned(), time),
            text(&key.revoked_reason),
        ]);
    }
    table.text()
}
