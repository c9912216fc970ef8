//! Which exchange takes a message, and which queues get it from there.

use super::payload::{Kind, Payload};
use super::topology::{BINDINGS, Binding, Exchange, ExchangeKind, Queue};
use super::{Body, Flow, Message};

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
    let choreographed = matches!(message.origin.flow, Flow::Choreographed);
    match message.payload.kind() {
        Kind::InventoryReserve
        | Kind::InventoryRelease
        | Kind::InventoryCommit
        | Kind::PaymentProcess
        | Kind::PaymentRefund
        | Kind::ShippingSchedule
        | Kind::ShippingCancel
        | Kind::ShippingDispatch
        | Kind::ShippingDeliver => Route::To(Exchange::SagaCommands),
        Kind::InventoryReserved
        | Kind::InventoryFailed
        | Kind::InventoryReleased
        | Kind::InventoryCommitted
            if choreographed =>
        {
            Route::To(Exchange::Inventory)
        }
        Kind::PaymentApproved | Kind::PaymentFailed | Kind::PaymentReversed if choreographed => {
            Route::To(Exchange::Payment)
        }
        Kind::ShippingScheduled
        | Kind::ShippingFailed
        | Kind::ShippingDispatched
        | Kind::ShippingDelivered
            if choreographed =>
        {
            Route::To(Exchange::Shipping)
        }
        Kind::OrderCreated
        | Kind::OrderCancelRequested
        | Kind::OrderDispatchRequested
        | Kind::OrderDeliveryConfirmed
            if choreographed =>
        {
            Route::To(Exchange::Order)
        }
        Kind::InventoryReserved
        | Kind::InventoryFailed
        | Kind::InventoryReleased
        | Kind::InventoryCommitted
        | Kind::PaymentApproved
        | Kind::PaymentFailed
        | Kind::PaymentReversed
        | Kind::ShippingScheduled
        | Kind::ShippingFailed
        | Kind::ShippingDispatched
        | Kind::ShippingDelivered => Route::To(Exchange::SagaEvents),
        Kind::NotificationSend => Route::To(Exchange::NotificationChannels),
        // Orchestrated, these are told to audit and customers only: the saga itself acts on them.
        Kind::OrderCreated
        | Kind::OrderConfirmed
        | Kind::OrderShipped
        | Kind::OrderCompleted
        | Kind::OrderCancelled
        | Kind::OrderCancelRequested
        | Kind::OrderDispatchRequested
        | Kind::OrderDeliveryConfirmed => Route::FeedOnly,
    }
}

/// What an exchange routes a message by: its name, or the channel that it is for.
pub fn routing_key(message: &Message) -> &str {
    match &message.payload {
        Payload::NotificationSend(send) => &send.channel,
        payload => payload.kind().as_str(),
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
        Exchange::SagaCommands
        | Exchange::SagaEvents
        | Exchange::Order
        | Exchange::Payment
        | Exchange::Inventory
        | Exchange::Shipping
        | Exchange::NotificationChannels => false,
    }
}
