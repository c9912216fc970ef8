//! Messages of every kind.

use ordermill_actors::ports::Delivery;
use ordermill_domain::messages::schema::example_data;
use ordermill_domain::messages::{Body, Bundle, Flow, Kind, Message};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// When all of them were decided, and when all of them fail.
pub const AT: &str = "2026-03-01T10:00:00.123456Z";

/// A trace that a message may belong to.
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// [`AT`], read.
pub fn at() -> ordermill_domain::clock::Timestamp {
    AT.parse().unwrap()
}

/// A message's envelope with this content.
pub fn envelope(kind: Kind, order: u32, data: &Value) -> Value {
    let mut envelope = json!({
        "event_id": Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(order)),
        "event_type": kind.as_str(),
        "order_id": Uuid::from_u128(u128::from(order)),
        "occurred_at": AT,
        "flow": Flow::Choreographed,
        "plan": "reserve-first",
        "traceparent": TRACE,
    });
    if !data.is_null() {
        envelope["data"] = data.clone();
    }
    envelope
}

/// A message of a kind about an order.
pub fn message(kind: Kind, order: u32) -> Arc<Message> {
    Message::from_json(&envelope(kind, order, &example_data(kind)).to_string()).unwrap()
}

/// A message for a customer by a channel.
pub fn by_channel(channel: &str, order: u32) -> Arc<Message> {
    let mut data = example_data(Kind::NotificationSend);
    data["channel"] = channel.into();
    Message::from_json(&envelope(Kind::NotificationSend, order, &data).to_string()).unwrap()
}

/// A bundle of messages of a kind about these orders.
pub fn bundle(kind: Kind, orders: impl IntoIterator<Item = u32>) -> Body {
    let messages = orders.into_iter().map(|order| message(kind, order)).collect();
    let id = Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000);
    Body::Bundle(Arc::new(Bundle { id, messages, unreadable: Vec::new() }))
}

/// What audit and notification are fed with: events about these orders.
pub fn feed(orders: impl IntoIterator<Item = u32>) -> Body {
    bundle(Kind::OrderConfirmed, orders)
}

/// The orders that a delivery speaks of.
pub fn orders(delivery: &Delivery) -> Vec<u32> {
    let body = delivery.content.as_ref().expect("it can be read");
    let order = |message: &Arc<Message>| u32::try_from(message.order_id().0.as_u128()).unwrap();
    body.messages().iter().map(order).collect()
}

/// The orders that deliveries speak of, one each.
pub fn each_order(deliveries: &[Delivery]) -> Vec<u32> {
    deliveries.iter().flat_map(orders).collect()
}
