//! The tree as text: a line an actor, in aligned columns, and what it comes to in all.

use crate::characters::is_control;
use crate::table::Table;
use ordermill_client::{Actor, Totals, Tree};
use std::collections::BTreeMap;

/// Characters of an error that are shown: the actor's page has more.
const ERROR_CHARS: usize = 60;

const HEADINGS: [&str; 7] =
    ["ACTOR", "STATUS", ">RESTARTS", ">MAILBOX", ">HANDLED", ">UPTIME", "LAST ERROR"];

/// The whole.
pub(super) fn of(tree: &Tree) -> String {
    let totals = totals(&tree.totals);
    if tree.actors.is_empty() {
        return format!("{totals}\nno actor matches the filters\n");
    }
    let mut table = Table::new(&HEADINGS);
    for actor in &tree.actors {
        line(actor, "", "", &mut table);
    }
    format!("{totals}\n{}", table.text())
}

fn totals(totals: &Totals) -> String {
    let counts = |of: &BTreeMap<String, u64>| {
        let counts: Vec<_> = of.iter().map(|(name, count)| format!("{count} {name}")).collect();
        printable(&counts.join(", "))
    };
    format!(
        "{} actors: {}; {} restarts\n{}\n",
        totals.actors,
        counts(&totals.by_status),
        totals.restarts,
        counts(&totals.by_kind),
    )
}

/// An actor, and below it those that it supervises. `stem` leads to it, `trunk` to those below.
fn line(actor: &Actor, stem: &str, trunk: &str, table: &mut Table) {
    table.plain(vec![
        format!("{stem}{}", printable(&actor.name)),
        printable(&actor.status),
        actor.restarts.to_string(),
        actor.mailbox.to_string(),
        actor.handled.to_string(),
        uptime(actor.uptime_ms),
        actor.last_error.as_deref().map(shortened).unwrap_or_default(),
    ]);
    let unlisted = actor.children_total.saturating_sub(actor.children.len() as u64);
    let mut children = actor.children.iter().peekable();
    while let Some(child) = children.next() {
        let is_last = children.peek().is_none() && unlisted == 0;
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        line(child, &format!("{trunk}{branch}"), &format!("{trunk}{below}"), table);
    }
    if unlisted > 0 {
        let more = if actor.children.is_empty() { "" } else { " more" };
        let mut cells = vec![String::new(); HEADINGS.len()];
        cells[0] = format!("{trunk}└─ … {unlisted}{more}");
        table.plain(cells);
    }
}

/// Two units at the most: `3d 4h`, `2m 5s`, `7s`.
fn uptime(ms: u64) -> String {
    let seconds = ms / 1_000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut words = Vec::new();
    for (length, unit) in units {
        let count = left / length;
        left %= length;
        if count > 0 || (!words.is_empty() && words.len() < 2) || length == 1 && words.is_empty() {
            words.push(format!("{count}{unit}"));
        }
        if words.len() == 2 {
            break;
        }
    }
    words.join(" ")
}

fn shortened(error: &str) -> String {
    let error = printable(error);
    match error.char_indices().nth(ERROR_CHARS) {
        Some((end, _)) => format!("{}…", &error[..end]),
        None => error,
    }
}

/// Names hold what customers have written: nothing of it steers the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_control(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn actor(name: &str, children: serde_json::Value, total: u64) -> serde_json::Value {
        json!({
            "kind": "part", "name": name, "status": "running", "restarts": 2,
            "last_error": format!("\u{1b}[31mbad\n{}", "x".repeat(100)), "mailbox": 3,
            "handled": 12_345, "uptime_ms": 185_000, "children_total": total, "children": children,
        })
    }

    #[test]
    fn a_tree_is_drawn_with_what_is_not_listed_and_without_control_characters() {
        let skus = actor("skus", json!([actor("sku/a\u{1b}b", json!([]), 0)]), 1_000);
        let root = actor("ordermill", json!([actor("audit", json!([]), 0), skus]), 2);
        let tree: Tree = serde_json::from_value(json!({
            "totals": {
                "actors": 1_003, "restarts": 8,
                "by_kind": { "part": 1_003 }, "by_status": { "running": 1_003 },
            },
            "actors": [root],
        }))
        .unwrap();
        let text = of(&tree);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "1003 actors: 1003 running; 8 restarts");
        let names: Vec<_> =
            lines[3..].iter().map(|line| line.split("  ").next().unwrap()).collect();
        let drawn = ["ACTOR", "ordermill", "├─ audit", "└─ skus", "", ""];
        assert_eq!(names[..4], drawn[..4], "{text}");
        assert!(
            lines[7].starts_with("   ├─ sku/a b") && lines[8].starts_with("   └─ … 999 more"),
            "{text}"
        );
        assert!(lines[4].contains("3m 5s") && lines[4].ends_with("xxx…"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn uptimes_are_short() {
        for (ms, text) in [
            (0, "0s"),
            (59_999, "59s"),
            (60_000, "1m 0s"),
            (3_725_000, "1h 2m"),
            (90_000_000, "1d 1h"),
        ] {
            assert_eq!(uptime(ms), text);
        }
    }
}
