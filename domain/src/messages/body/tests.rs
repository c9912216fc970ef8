//! Messages and bundles, read from any queue as they were written, by us or by other programs.

use super::*;
use crate::ids::OrderId;
use crate::messages::{Flow, InventoryMessage, Origin, Payload, Plan};
use chrono::DateTime;

fn message(order: u128) -> Arc<Message> {
    let origin =
        Origin::new(OrderId(Uuid::from_u128(order)), Flow::Orchestrated, Plan::ReserveFirst);
    Message::new(&origin, Payload::Inventory(InventoryMessage::Released), 0, DateTime::UNIX_EPOCH)
}

fn body(orders: u128) -> Body {
    Body::of(Uuid::from_u128(7), (0..orders).map(message).collect()).unwrap()
}

#[test]
fn a_written_body_is_read_back() {
    for orders in [1, 2, 64] {
        assert_eq!(Body::read(body(orders).to_json().as_bytes()), Ok(body(orders)));
    }
    assert_eq!(Body::of(Uuid::nil(), Vec::new()), None);
}

#[test]
fn readable_messages_of_a_bundle_survive_unreadable_ones() {
    let (good, id) = (message(1), Uuid::nil());
    let text = format!(r#" {{"messages": [{}, 4, {{}}], "bundle_id": "{id}"}}"#, good.json());
    let body = Body::read(text.as_bytes()).unwrap();
    assert_eq!(body.messages(), [good]);
    let bad: Vec<_> = body.unreadable().iter().map(|entry| &*entry.body).collect();
    assert_eq!(bad, ["4", "{}"]);
}

#[test]
fn a_malformed_bundle_is_reported() {
    let error = |text: &str| Body::read(text.as_bytes()).unwrap_err().error;
    assert!(error(r#"{"messages": []}"#).contains("bundle_id"));
    let entries = vec!["1"; 65].join(",");
    let long = format!(r#"{{"bundle_id": "{}", "messages": [{entries}]}}"#, Uuid::nil());
    assert!(error(&long).contains("the bundle has 65 messages; the maximum is 64"));
    assert!(error("{}").contains("event_id"));
}
