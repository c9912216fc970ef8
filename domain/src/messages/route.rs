//! Which exchange takes a message, and which queues get it from there.

use super::payload::Role;
use super::topology::{BINDINGS, Binding, Exchange, ExchangeKind, Queue};
use super::{Body, Flow, Message};
use crate::ids::ServiceName;

/// How one message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Published to an exchange, under its own name as routing key.
    To(Exchange),
    /// Only to audit and notification: no service acts on it.
    FeedOnly,
}

/// Where a message is published, beside [`FEEDS`].
pub const fn route(message: &Message) -> Route {
    let kind = message.payload.kind();
    match (kind.role(), kind.service(), message.origin.flow) {
        (Role::Command, ServiceName::Notification, _) => Route::To(Exchange::NotificationChannels),
        (Role::Command, _, _) => Route::To(Exchange::SagaCommands),
        (Role::Notice, _, _) => Route::FeedOnly,
        (Role::Event | Role::PublicEvent, service, Flow::Choreographed) => {
            match Exchange::of_events(service) {
                Some(exchange) => Route::To(exchange),
                None => Route::FeedOnly,
            }
        }
        // The saga itself acts on what the order service tells.
        (Role::Event | Role::PublicEvent, ServiceName::Order, Flow::Orchestrated) => {
            Route::FeedOnly
        }
        (Role::Event | Role::PublicEvent, _, Flow::Orchestrated) => Route::To(Exchange::SagaEvents),
    }
}

/// True when messages to an exchange that have the same routing key travel together. Those for customers do
/// not: each has a priority of its own, and waits for another server by itself.
pub const fn bundles(exchange: Exchange) -> bool {
    match exchange.kind() {
        ExchangeKind::Direct | ExchangeKind::Topic | ExchangeKind::Fanout => true,
        ExchangeKind::Headers => false,
    }
}

/// The queues bound to an exchange for a body; empty when it is unroutable.
pub fn queues_for(exchange: Exchange, body: &Body) -> Vec<Queue> {
    let key = body.routing_key();
    let bound = |binding: &&Binding| {
        binding.exchange == exchange
            && (binding.key == key || exchange.kind() == ExchangeKind::Fanout)
    };
    BINDINGS.iter().copied().flatten().filter(bound).map(|binding| binding.queue).collect()
}

/// The exchanges that a message goes to beside its own: everything that happened for audit, what customers
/// care for for notification.
pub const FEEDS: [Exchange; 2] = [Exchange::AuditFanout, Exchange::Notification];

/// True when a message goes to this one of [`FEEDS`].
pub const fn feeds(exchange: Exchange, message: &Message) -> bool {
    let kind = message.payload.kind();
    match exchange {
        Exchange::AuditFanout => kind.is_event(),
        Exchange::Notification => kind.concerns_customer(),
        _ => false,
    }
}
