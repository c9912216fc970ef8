//! This version and 0.2.0 side by side.

use super::fields::Version;
use ordermill_domain::messages::schema::{messages, read, written};
use ordermill_domain::messages::{Kind, Message};
use ordermill_domain::testing::described::{faults_of, open_validator};
use serde_json::Value;
use std::collections::BTreeSet;

/// What this version cannot read of 0.2.0's. Each is in CHANGELOG.md and docs/MESSAGING.md.
const NOT_READ_NOW: [&str; 1] =
    ["payment.process: `data.placed_at` is needed by this version and not written by 0.2.0"];

/// What 0.2.0 cannot read of this version's.
const NOT_READ_THEN: [&str; 7] = [
    "0.2.0 does not know order.payment_required, which this version writes",
    "0.2.0 does not know payment.action_required, which this version writes",
    "0.2.0 does not know payment.attention, which this version writes",
    "0.2.0 does not know payment.lapsed, which this version writes",
    "0.2.0 does not know payment.refunded, which this version writes",
    "0.2.0 does not know payment.status.updated, which this version writes",
    "0.2.0 does not know payment.updated, which this version writes",
];

const ADVICE: &str = "a rolling upgrade dead-letters such messages: see docs/MESSAGING.md, \"Versions\", for how to \
    make the change in two releases; if it must be, add the sentence here, to docs/MESSAGING.md and to CHANGELOG.md";

fn now() -> Version {
    Version { name: "this version", written: messages(written()), read: messages(read()) }
}

fn then() -> Version {
    let mut schemas: Value = serde_json::from_str(include_str!("0.2.0/schemas.json")).unwrap();
    let mut part = |name: &str| match schemas[name].take() {
        Value::Object(schemas) => schemas,
        other => panic!("{name}: {other}"),
    };
    Version { name: "0.2.0", written: part("written"), read: part("read") }
}

fn messages_of_then() -> Vec<Value> {
    serde_json::from_str(include_str!("0.2.0/messages.json")).unwrap()
}

fn kind_of(message: &Value) -> &str {
    message["event_type"].as_str().unwrap()
}

/// A message's kind is among those that a sentence names as not read.
fn is_named(sentences: &[&str], kind: &str) -> bool {
    sentences.iter().any(|sentence| {
        sentence.starts_with(&format!("{kind}:")) || sentence.contains(&format!("know {kind},"))
    })
}

#[track_caller]
fn assert_known(found: &BTreeSet<String>, known: &[&str]) {
    let known: BTreeSet<String> = known.iter().map(|&sentence| sentence.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "{new:#?}\n{ADVICE}");
    let gone: Vec<_> = known.difference(found).collect();
    assert!(gone.is_empty(), "no longer true, take it out here and in the documents: {gone:#?}");
}

#[test]
fn this_version_reads_what_0_2_0_writes() {
    assert_known(&now().cannot_read(&then()), &NOT_READ_NOW);
}

#[test]
fn version_0_2_0_reads_what_this_version_writes() {
    assert_known(&then().cannot_read(&now()), &NOT_READ_THEN);
}

#[test]
fn messages_of_0_2_0_are_read() {
    let then = messages_of_then();
    // The least and the most of each kind.
    assert_eq!(then.len(), 2 * (Kind::ALL.len() - NOT_READ_THEN.len()));
    for message in then {
        let read = Message::from_json(&message.to_string());
        if is_named(&NOT_READ_NOW, kind_of(&message)) {
            assert!(read.unwrap_err().to_string().contains("placed_at"), "{message:#}");
            continue;
        }
        let again: Value = serde_json::from_str(read.unwrap().json()).unwrap();
        // All that it said is kept: nothing has another name or meaning now.
        assert_eq!(again, message);
    }
}

#[test]
fn messages_of_this_version_are_as_0_2_0_reads_them() {
    let (now, then) = (now(), then());
    for kind in Kind::ALL {
        if is_named(&NOT_READ_THEN, kind.as_str()) {
            continue;
        }
        let (reads, validator) = (kind.as_str(), open_validator(&then.read, kind.as_str()));
        let message = ordermill_domain::messages::schema::example(*kind);
        let message: Value = serde_json::from_str(message.json()).unwrap();
        assert_eq!(faults_of(&validator, &message), Vec::<String>::new(), "{reads}");
    }
    // The schemas are those of the messages that are kept beside them.
    for message in messages_of_then() {
        let kind = kind_of(&message);
        for schemas in [&then.written, &then.read] {
            assert_eq!(
                faults_of(&open_validator(schemas, kind), &message),
                Vec::<String>::new(),
                "{kind}"
            );
        }
        if !is_named(&NOT_READ_NOW, kind) {
            let validator = open_validator(&now.read, kind);
            assert_eq!(faults_of(&validator, &message), Vec::<String>::new(), "{kind}");
        }
    }
}
