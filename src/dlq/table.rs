//! Dead letters as a plain table.

use crate::characters::is_control;
use crate::table::Table;
use serde_json::Value;

/// Characters of a cause that are shown: `--json` has all of it.
const CAUSE_CHARS: usize = 80;

/// A line a dead letter, in aligned columns.
pub(super) fn of(letters: &[Value]) -> String {
    let mut table = Table::new(&["ID", "QUEUE", "TRIES", "FAILED AT", "MESSAGE", "ORDER", "CAUSE"]);
    letters.iter().for_each(|letter| table.plain(row(letter)));
    table.text()
}

/// A line a discarded dead letter.
pub(super) fn of_discarded(letters: &[Value]) -> String {
    let mut table = Table::new(&["ID", "QUEUE", "DISCARDED AT", "REASON", "CAUSE"]);
    letters.iter().for_each(|letter| table.plain(discarded_row(letter)));
    table.text()
}

fn discarded_row(discarded: &Value) -> Vec<String> {
    let letter = &discarded["dead_letter"];
    vec![
        text(&letter["id"]),
        text(&letter["queue"]),
        second(&discarded["discarded_at"]),
        shortened(&text(&discarded["reason"])),
        shortened(&text(&letter["cause"])),
    ]
}

/// A time without its fractions of a second.
fn second(time: &Value) -> String {
    let time = text(time);
    let time = time.split('.').next().unwrap_or_default().trim_end_matches('Z');
    format!("{time}Z")
}

fn row(letter: &Value) -> Vec<String> {
    vec![
        text(&letter["id"]),
        text(&letter["queue"]),
        text(&letter["attempts"]),
        second(&letter["died_at"]),
        text(&letter["event_type"]),
        text(&letter["order_id"]),
        shortened(&text(&letter["cause"])),
    ]
}

/// A cell. What a message says of itself may hold anything: nothing of it steers the terminal.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if is_control(c) { ' ' } else { c }).collect(),
        other => other.to_string(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CAUSE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_aligned_and_hold_no_control_characters() {
        let letter = json!({
            "id": "01", "queue": "order.events", "attempts": 4,
            "died_at": "2026-01-02T03:04:05.678Z", "event_type": null,
            "order_id": null, "cause": format!("\u{1b}[31m\u{202e}bad\n{}", "x".repeat(100)),
        });
        let table = of(&[letter]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].find("QUEUE"), lines[1].find("order.events"));
        assert!(lines[1].contains("4      2026-01-02T03:04:05Z  -"), "{}", lines[1]);
        assert!(lines[1].ends_with("xxx…"), "{}", lines[1]);
        assert!(!lines[1].contains(['\u{1b}', '\u{202e}']), "{}", lines[1]);
    }
}
