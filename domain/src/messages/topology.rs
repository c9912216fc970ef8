//! Where each message goes: exchanges, queues and bindings, as data. Every process declares all of it,
//! whatever it runs, and both flows side by side, so that a change of configuration strands nothing.
//!
//! ```text
//! orchestrated   saga.commands (direct)  ──▶ inventory.commands, payment.commands, shipping.commands
//!                saga.events   (topic)   ──▶ order.events
//! choreographed  order.exchange, payment.exchange, inventory.exchange, shipping.exchange (topic)
//!                                        ──▶ <service>.<event>: see BINDINGS
//! both           notification.channels   ──▶ notification.email, notification.sms (by header `channel`)
//!                audit.fanout.exchange   ──▶ audit.events           (every event)
//!                notification.exchange   ──▶ notification.orders    (what customers care for)
//! ```
//!
//! The messages of one outbox row to the same exchange under the same routing key travel together, as a
//! [`Bundle`](super::Bundle); only what is for customers travels by itself.
//!
//! Every queue `q` has a dead letter queue `q.dlq`, drained into its service's `dead_letters`; every
//! service has three retry exchanges, `<service>.retry.1s`, `.5s` and `.30s`.

use super::payload::Kind;
use crate::ids::ServiceName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long a message rests after its first, second and third failure. After the fourth it is a dead
/// letter.
pub const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// The exchange, and its queue, of messages for a channel that nobody serves: the alternate of
/// `notification.channels`.
pub const UNROUTED: &str = "unrouted";

/// The queue of questions about payments, answered at once to whoever asked.
pub const RPC_PAYMENT: &str = "payment.confirmation";

/// The queue of notifications and of people's requests to payments, answered once they are decided.
pub const RPC_PAYMENT_REQUESTS: &str = "payment.requests";

/// The exchange where a service's messages rest before they are tried again.
pub fn retry_exchange(service: ServiceName, delay: Duration) -> String {
    format!("{service}.retry.{}s", delay.as_secs())
}

/// How an exchange chooses queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeKind {
    /// By the whole routing key.
    Direct,
    /// By patterns of the routing key.
    Topic,
    /// All that are bound.
    Fanout,
    /// By headers.
    Headers,
}

impl ExchangeKind {
    /// The type's name in AMQP.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
            Self::Fanout => "fanout",
            Self::Headers => "headers",
        }
    }
}

macro_rules! exchanges {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal $(of $service:ident)?, $kind:ident;)*) => {
        /// An exchange that messages are published to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Exchange {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Exchange {
            /// Every exchange there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The exchange's name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is for, for people.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_start(),)* }
            }

            /// How it chooses queues.
            pub const fn kind(self) -> ExchangeKind {
                match self { $(Self::$variant => ExchangeKind::$kind,)* }
            }

            /// The exchange of a service's events in the choreographed flow. None: no service acts on them.
            pub const fn of_events(service: ServiceName) -> Option<Self> {
                match service {
                    $($(ServiceName::$service => Some(Self::$variant),)?)*
                    _ => None,
                }
            }
        }
    };
}

exchanges! {
    /// Orchestrated: the saga's commands.
    SagaCommands = "saga.commands", Direct;
    /// Orchestrated: the services' replies.
    SagaEvents = "saga.events", Topic;
    /// Choreographed: what the order service says.
    Order = "order.exchange" of Order, Topic;
    /// Choreographed: what the payment service says.
    Payment = "payment.exchange" of Payment, Topic;
    /// Choreographed: what the inventory service says.
    Inventory = "inventory.exchange" of Inventory, Topic;
    /// Choreographed: what the shipping service says.
    Shipping = "shipping.exchange" of Shipping, Topic;
    /// Messages for customers, by channel.
    NotificationChannels = "notification.channels", Headers;
    /// Every event.
    AuditFanout = "audit.fanout.exchange", Fanout;
    /// The events that customers care for.
    Notification = "notification.exchange", Fanout;
}

/// The purpose of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Work between services: replicated, in order.
    Quorum,
    /// Messages for customers: urgent ones first, old ones given up. (Quorum queues know no priorities.)
    Priority,
}

macro_rules! queues {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal of $service:ident, $kind:ident;)*) => {
        /// A queue that a service consumes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Queue {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Queue {
            /// Every queue there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The queue's name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is for, for people.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_start(),)* }
            }

            /// The service that consumes it.
            pub const fn service(self) -> ServiceName {
                match self { $(Self::$variant => ServiceName::$service,)* }
            }

            /// Its purpose.
            pub const fn kind(self) -> QueueKind {
                match self { $(Self::$variant => QueueKind::$kind,)* }
            }
        }
    };
}

queues! {
    /// Replies to the saga.
    OrderEvents = "order.events" of Order, Quorum;
    /// Commands to inventory.
    InventoryCommands = "inventory.commands" of Inventory, Quorum;
    /// Commands to payment.
    PaymentCommands = "payment.commands" of Payment, Quorum;
    /// Commands to shipping.
    ShippingCommands = "shipping.commands" of Shipping, Quorum;
    /// Choreographed: take the money.
    PaymentOrderCreated = "payment.order-created" of Payment, Quorum;
    /// Choreographed: give the money back.
    PaymentInventoryFailed = "payment.inventory-failed" of Payment, Quorum;
    /// Choreographed: give the money back.
    PaymentInventoryReleased = "payment.inventory-released" of Payment, Quorum;
    /// Choreographed: reserve the stock.
    InventoryPaymentApproved = "inventory.payment-approved" of Inventory, Quorum;
    /// Choreographed: put the stock back.
    InventoryShippingFailed = "inventory.shipping-failed" of Inventory, Quorum;
    /// Choreographed: the stock has left.
    InventoryShippingDispatched = "inventory.shipping-dispatched" of Inventory, Quorum;
    /// Choreographed: schedule the parcel.
    ShippingInventoryReserved = "shipping.inventory-reserved" of Shipping, Quorum;
    /// Choreographed: cancel the parcel.
    ShippingOrderCancelRequested = "shipping.order-cancel-requested" of Shipping, Quorum;
    /// Choreographed: hand the parcel over.
    ShippingOrderDispatchRequested = "shipping.order-dispatch-requested" of Shipping, Quorum;
    /// Choreographed: note the delivery.
    ShippingOrderDeliveryConfirmed = "shipping.order-delivery-confirmed" of Shipping, Quorum;
    /// Choreographed: the saga follows.
    OrderPaymentApproved = "order.payment-approved" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderPaymentFailed = "order.payment-failed" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderPaymentReversed = "order.payment-reversed" of Order, Quorum;
    /// Choreographed: what the payment service tells beside the answers of its step.
    OrderPaymentUpdates = "order.payment-updates" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderInventoryReserved = "order.inventory-reserved" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderInventoryFailed = "order.inventory-failed" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderInventoryCommitted = "order.inventory-committed" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderShippingScheduled = "order.shipping-scheduled" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderShippingFailed = "order.shipping-failed" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderShippingDispatched = "order.shipping-dispatched" of Order, Quorum;
    /// Choreographed: the saga follows.
    OrderShippingDelivered = "order.shipping-delivered" of Order, Quorum;
    /// Events that customers are told of.
    NotificationOrders = "notification.orders" of Notification, Quorum;
    /// E-mails to be sent.
    NotificationEmail = "notification.email" of Notification, Priority;
    /// Text messages to be sent.
    NotificationSms = "notification.sms" of Notification, Priority;
    /// Every event.
    AuditEvents = "audit.events" of Audit, Quorum;
}

impl Queue {
    /// The queue of a name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|queue| queue.as_str() == name)
    }

    /// True when it is fed with events for the record: nobody acts on them, and nobody says them again.
    pub const fn is_fed(self) -> bool {
        matches!(self, Self::NotificationOrders | Self::AuditEvents)
    }

    /// An exchange that it is bound to.
    pub fn exchange(self) -> Exchange {
        let mut bindings = BINDINGS.iter().copied().flatten();
        let bound = bindings.find(|binding| binding.queue == self);
        bound.map_or(Exchange::SagaEvents, |binding| binding.exchange)
    }

    /// The queue of its dead letters.
    pub fn dlq(self) -> String {
        format!("{self}.dlq")
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which messages of an exchange a queue takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The exchange.
    pub exchange: Exchange,
    /// The routing key; of a headers exchange the value of the header `channel`; of a fanout nothing.
    pub key: &'static str,
    /// The queue.
    pub queue: Queue,
}

macro_rules! bindings {
    ($($exchange:ident { $($kind:ident => $($queue:ident),+;)+ })*) => {
        &[$($($(Binding {
            exchange: Exchange::$exchange,
            key: Kind::$kind.as_str(),
            queue: Queue::$queue,
        },)+)+)*]
    };
}

/// Every binding of the flows. The choreographed ones are those of its table of routing keys.
const OF_FLOWS: &[Binding] = bindings! {
    SagaCommands {
        InventoryReserve => InventoryCommands;
        InventoryRelease => InventoryCommands;
        InventoryCommit => InventoryCommands;
        PaymentProcess => PaymentCommands;
        PaymentRefund => PaymentCommands;
        ShippingSchedule => ShippingCommands;
        ShippingCancel => ShippingCommands;
        ShippingDispatch => ShippingCommands;
        ShippingDeliver => ShippingCommands;
    }
    SagaEvents {
        InventoryReserved => OrderEvents;
        InventoryFailed => OrderEvents;
        InventoryReleased => OrderEvents;
        InventoryCommitted => OrderEvents;
        PaymentApproved => OrderEvents;
        PaymentFailed => OrderEvents;
        PaymentReversed => OrderEvents;
        PaymentActionRequired => OrderEvents;
        PaymentUpdated => OrderEvents;
        PaymentLapsed => OrderEvents;
        PaymentAttention => OrderEvents;
        PaymentRefunded => OrderEvents;
        PaymentStatusUpdated => OrderEvents;
        ShippingScheduled => OrderEvents;
        ShippingFailed => OrderEvents;
        ShippingDispatched => OrderEvents;
        ShippingDelivered => OrderEvents;
    }
    Order {
        OrderCreated => PaymentOrderCreated;
        OrderCancelRequested => ShippingOrderCancelRequested;
        OrderDispatchRequested => ShippingOrderDispatchRequested;
        OrderDeliveryConfirmed => ShippingOrderDeliveryConfirmed;
    }
    Payment {
        PaymentApproved => InventoryPaymentApproved, OrderPaymentApproved;
        PaymentFailed => OrderPaymentFailed;
        PaymentReversed => OrderPaymentReversed;
        PaymentActionRequired => OrderPaymentUpdates;
        PaymentUpdated => OrderPaymentUpdates;
        PaymentLapsed => OrderPaymentUpdates;
        PaymentAttention => OrderPaymentUpdates;
        PaymentRefunded => OrderPaymentUpdates;
        PaymentStatusUpdated => OrderPaymentUpdates;
    }
    Inventory {
        InventoryReserved => ShippingInventoryReserved, OrderInventoryReserved;
        InventoryFailed => PaymentInventoryFailed, OrderInventoryFailed;
        InventoryReleased => PaymentInventoryReleased;
        InventoryCommitted => OrderInventoryCommitted;
    }
    Shipping {
        ShippingScheduled => OrderShippingScheduled;
        ShippingFailed => InventoryShippingFailed, OrderShippingFailed;
        ShippingDispatched => InventoryShippingDispatched, OrderShippingDispatched;
        ShippingDelivered => OrderShippingDelivered;
    }
};

const OF_FEEDS_AND_CHANNELS: &[Binding] = &[
    Binding { exchange: Exchange::AuditFanout, key: "", queue: Queue::AuditEvents },
    Binding { exchange: Exchange::Notification, key: "", queue: Queue::NotificationOrders },
    Binding {
        exchange: Exchange::NotificationChannels,
        key: "email",
        queue: Queue::NotificationEmail,
    },
    Binding { exchange: Exchange::NotificationChannels, key: "sms", queue: Queue::NotificationSms },
];

/// Every binding there is.
pub const BINDINGS: [&[Binding]; 2] = [OF_FLOWS, OF_FEEDS_AND_CHANNELS];
