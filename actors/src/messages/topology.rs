//! Where each message goes: exchanges, queues and bindings, as data.
//!
//! ```text
//! saga.commands (direct)  ──▶ inventory.commands, payment.commands, shipping.commands
//! saga.events   (topic)   ──▶ order.events
//! notification.channels   ──▶ notification.email            (by the header `channel`)
//! audit.fanout.exchange   ──▶ audit.events                  (one message per outbox row)
//! notification.exchange   ──▶ notification.orders           (one message per outbox row)
//! ```
//!
//! Every queue `q` has a dead letter queue `q.dlq`, drained into its service's `dead_letters`.

use super::payload::{Kind, Payload};
use super::{Feed, Message};
use crate::ids::ServiceName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An exchange that messages are published to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exchange {
    /// Direct: the saga's commands.
    #[serde(rename = "saga.commands")]
    SagaCommands,
    /// Topic: the services' replies.
    #[serde(rename = "saga.events")]
    SagaEvents,
    /// Headers: messages for customers, by channel.
    #[serde(rename = "notification.channels")]
    NotificationChannels,
    /// Fanout: every event of an outbox row.
    #[serde(rename = "audit.fanout.exchange")]
    AuditFanout,
    /// Fanout: the events of an outbox row that customers care for.
    #[serde(rename = "notification.exchange")]
    Notification,
}

macro_rules! queues {
    ($($(#[$doc:meta])* $variant:ident = $name:literal of $service:ident;)*) => {
        /// A queue that a service consumes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Queue {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Queue {
            /// Every queue there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The queue's name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The service that consumes it.
            pub const fn service(self) -> ServiceName {
                match self { $(Self::$variant => ServiceName::$service,)* }
            }
        }
    };
}

queues! {
    /// Replies to the saga.
    OrderEvents = "order.events" of Order;
    /// Commands to inventory.
    InventoryCommands = "inventory.commands" of Inventory;
    /// Commands to payment.
    PaymentCommands = "payment.commands" of Payment;
    /// Commands to shipping.
    ShippingCommands = "shipping.commands" of Shipping;
    /// What customers care for.
    NotificationOrders = "notification.orders" of Notification;
    /// E-mails to be sent.
    NotificationEmail = "notification.email" of Notification;
    /// Every event.
    AuditEvents = "audit.events" of Audit;
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How one message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Published by itself to an exchange, under its own name as routing key.
    To(Exchange),
    /// Only in the feeds of audit and notification: no service acts on it.
    FeedOnly,
}

/// Where a message is published, beside the feeds.
pub fn route(message: &Message) -> Route {
    match message.kind() {
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

/// The queues bound to an exchange for a message; empty when it is unroutable.
pub fn queues_for(exchange: Exchange, message: Option<&Message>) -> &'static [Queue] {
    match exchange {
        Exchange::AuditFanout => &[Queue::AuditEvents],
        Exchange::Notification => &[Queue::NotificationOrders],
        Exchange::SagaEvents => &[Queue::OrderEvents],
        Exchange::SagaCommands => match message.map(Message::kind) {
            Some(Kind::InventoryReserve | Kind::InventoryRelease | Kind::InventoryCommit) => {
                &[Queue::InventoryCommands]
            }
            Some(Kind::PaymentProcess | Kind::PaymentRefund) => &[Queue::PaymentCommands],
            Some(
                Kind::ShippingSchedule
                | Kind::ShippingCancel
                | Kind::ShippingDispatch
                | Kind::ShippingDeliver,
            ) => &[Queue::ShippingCommands],
            _ => &[],
        },
        Exchange::NotificationChannels => match message.map(|message| &message.payload) {
            Some(Payload::NotificationSend(send)) if send.channel == "email" => {
                &[Queue::NotificationEmail]
            }
            _ => &[],
        },
    }
}

impl Feed {
    /// The feed's part that an exchange carries: everything for audit, what customers care for
    /// for notification. None when nothing is left.
    pub fn part_for(&self, exchange: Exchange) -> Option<Self> {
        let wanted = |kind: Kind| match exchange {
            Exchange::AuditFanout => kind.is_event(),
            Exchange::Notification => kind.concerns_customer(),
            Exchange::SagaCommands | Exchange::SagaEvents | Exchange::NotificationChannels => false,
        };
        let events: Vec<_> =
            self.events.iter().filter(|event| wanted(event.kind())).cloned().collect();
        (!events.is_empty()).then_some(Self { id: self.id, events })
    }
}
