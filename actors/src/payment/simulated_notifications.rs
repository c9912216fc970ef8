//! The simulated gateway's notifications: it is part of this process, and signs nothing.

use super::entity::Payments;
use crate::gateway::NotificationListener;
use crate::runtime::ticket::Ticket;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    GatewayKey, Notification, PaymentInput, Provider, ReceivedNotification,
};
use std::sync::Arc;

/// Tells payments what the simulated gateway has to say, as a webhook does for the others.
pub fn listener(payments: Payments, world: World) -> NotificationListener {
    Arc::new(move |order_id: OrderId, claimed_minor: i64| {
        let reference = GatewayKey::of(order_id).to_string();
        let text = format!("captured {claimed_minor} minor units");
        let body = format!("{{\"payment\":\"{reference}\",\"captured_minor\":{claimed_minor}}}");
        let notification = Notification {
            provider: Provider::Simulated,
            reference,
            order_id: Some(order_id),
            is_test: false,
            claimed_minor,
            text,
        };
        let (id, now) = (world.new_id(), world.now());
        let received = ReceivedNotification::new(id, notification, body.as_bytes(), now);
        payments.ask(&order_id, PaymentInput::Notified(Arc::new(received)), Ticket::unobserved());
    })
}
