//! Messages of every kind.

use ordermill_actors::ports::Delivery;
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

fn data(kind: Kind) -> Value {
    let total = json!({"amount": "49.90", "currency": "USD"});
    let refusal = json!({"reason": "declined"});
    let notice = json!({"customer_id": "c", "contact": {"email": "c@example.org"}, "total": total});
    match kind {
        Kind::OrderCreated => json!({
            "customer_id": "c", "payment_method": "credit_card", "currency": "USD",
            "lines": [{"product_id": "A", "quantity": 2, "amount_minor": 4990}],
            "total_minor": 4990,
        }),
        Kind::OrderConfirmed | Kind::OrderShipped | Kind::OrderCompleted | Kind::OrderCancelled => {
            notice
        }
        Kind::OrderPaymentRequired => {
            let mut notice = notice;
            notice["payment"] = json!({"url": "https://pay.example.org/p", "expires_at": AT});
            notice
        }
        Kind::OrderCancelRequested => json!({"step": "customer", "reason": "asked"}),
        Kind::InventoryReserve | Kind::InventoryReserved => {
            json!([{"product_id": "A", "quantity": 2}])
        }
        Kind::InventoryFailed
        | Kind::PaymentFailed
        | Kind::PaymentLapsed
        | Kind::ShippingFailed => refusal,
        Kind::PaymentProcess => {
            json!({"total": total, "method": "credit_card", "customer_id": "c", "placed_at": AT})
        }
        Kind::PaymentApproved => json!({"total": total, "transaction_id": "t"}),
        Kind::PaymentActionRequired => {
            json!({"url": "https://pay.example.org/p", "expires_at": AT, "amount": total})
        }
        Kind::PaymentAttention => json!({"attention": "refund_by_hand"}),
        Kind::PaymentRefunded => json!({"amount": total, "refunded_total": total}),
        Kind::PaymentUpdated => json!({
            "status": "APPROVED", "provider": "simulated", "method": "credit_card",
            "captured_minor": 4990, "refunded_minor": 0,
        }),
        Kind::PaymentStatusUpdated => json!({
            "payment_status": "SUCCESS", "payment_id": Uuid::from_u128(1),
            "order_id": Uuid::from_u128(2), "payment_method": "credit_card", "customer_id": "c",
        }),
        Kind::ShippingSchedule => json!({"units": 2, "total": total}),
        Kind::ShippingScheduled => {
            json!({"tracking_code": "TRK-12345678", "freight": total, "estimated_delivery": AT})
        }
        Kind::NotificationSend => {
            json!({"channel": "email", "to": "c@example.org", "subject": "s", "body": "b"})
        }
        // The others have no content.
        _ => Value::Null,
    }
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
    Message::from_json(&envelope(kind, order, &data(kind)).to_string()).unwrap()
}

/// A message for a customer by a channel.
pub fn by_channel(channel: &str, order: u32) -> Arc<Message> {
    let mut data = data(Kind::NotificationSend);
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
