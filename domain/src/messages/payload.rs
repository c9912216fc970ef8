//! Every message's name and content.

use super::content::{
    ChannelMessage, Failure, OrderNotice, PaymentActionRequired, PaymentApproved, PaymentAttention,
    PaymentProcess, PaymentRefunded, PaymentStatusUpdated, PaymentUpdated, Refusal,
    ShipmentScheduled, ShippingSchedule, StockLine,
};
use super::details::OrderDetails;
use crate::ids::ServiceName;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// The role of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It asks a service for something.
    Command,
    /// It tells services what has happened.
    Event,
    /// It tells services and customers what has happened.
    PublicEvent,
    /// It tells customers what has happened. No service acts on it.
    Notice,
}

macro_rules! messages {
    ($($(#[$of:meta])* $service:ident($messages:ident) {
        $($(#[doc = $doc:literal])* $role:ident $variant:ident $(($data:ty))? = $kind:ident $name:literal;)*
    })*) => {
        /// The content of a message, by the service that a command is for or that an event comes from. In JSON:
        /// `{"event_type": "...", "data": ...}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Payload {
            $($(#[$of])* $service($messages),)*
        }

        $(
            $(#[$of])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
            #[serde(tag = "event_type", content = "data")]
            pub enum $messages {
                $($(#[doc = $doc])* #[serde(rename = $name)] $variant $(($data))?,)*
            }

            impl $messages {
                /// Which kind it is.
                pub const fn kind(&self) -> Kind {
                    match self { $(messages!(@pattern $variant $(($data))?) => Kind::$kind,)* }
                }
            }
        )*

        /// The name of a message: an event's routing key, a command's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($($(#[doc = $doc])* #[serde(rename = $name)] $kind,)*)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$($(Self::$kind,)*)*];

            /// The name as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$kind => $name,)*)* }
            }

            /// What a message of this kind says, for people.
            pub fn about(self) -> &'static str {
                match self { $($(Self::$kind => concat!($($doc),*).trim_start(),)*)* }
            }

            /// The schema of its content. None: it has none.
            pub(super) fn data_schema(self, generator: &mut SchemaGenerator) -> Option<Schema> {
                match self { $($(Self::$kind => messages!(@schema generator $(($data))?),)*)* }
            }

            /// Its role.
            pub const fn role(self) -> Role {
                match self { $($(Self::$kind => Role::$role,)*)* }
            }

            /// The service that a command is for, or that an event comes from.
            pub const fn service(self) -> ServiceName {
                match self { $($(Self::$kind => ServiceName::$service,)*)* }
            }
        }

        impl Payload {
            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$service(message) => message.kind(),)* }
            }

            /// Reads what a message of this kind says.
            pub(super) fn read(kind: Kind, data: Option<&RawValue>) -> serde_json::Result<Self> {
                match kind { $($(Kind::$kind => {
                    messages!(@read data $messages $variant $(($data))?).map(Self::$service)
                })*)* }
            }
        }
    };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident ($data:ty)) => { Self::$variant(_) };
    (@schema $generator:ident) => { None };
    (@schema $generator:ident ($data:ty)) => { Some($generator.subschema_for::<$data>()) };
    (@read $raw:ident $messages:ident $variant:ident) => { Ok($messages::$variant) };
    (@read $raw:ident $messages:ident $variant:ident ($data:ty)) => {
        serde_json::from_str::<$data>($raw.map_or("null", RawValue::get)).map($messages::$variant)
    };
}

messages! {
    /// Messages about orders.
    Order(OrderMessage) {
        /// The order was accepted.
        PublicEvent Created(Arc<OrderDetails>) = OrderCreated "order.created";
        /// All steps are done.
        Notice Confirmed(OrderNotice) = OrderConfirmed "order.confirmed";
        /// The parcel left and its stock with it.
        Notice Shipped(OrderNotice) = OrderShipped "order.shipped";
        /// The customer has it.
        Notice Completed(OrderNotice) = OrderCompleted "order.completed";
        /// It ended, and everything that was done is undone.
        Notice Cancelled(OrderNotice) = OrderCancelled "order.cancelled";
        /// There is a page where the customer can pay. Its number is the page's.
        Notice PaymentRequired(OrderNotice) = OrderPaymentRequired "order.payment_required";
        /// The customer, or the deadline, asked for the order's end.
        Event CancelRequested(Failure) = OrderCancelRequested "order.cancel_requested";
        /// The parcel may leave.
        Event DispatchRequested = OrderDispatchRequested "order.dispatch_requested";
        /// The customer said that it arrived.
        Event DeliveryConfirmed = OrderDeliveryConfirmed "order.delivery_confirmed";
    }
    /// Messages about stock.
    Inventory(InventoryMessage) {
        /// Reserve the stock.
        Command Reserve(Vec<StockLine>) = InventoryReserve "inventory.reserve";
        /// Put the stock back.
        Command Release = InventoryRelease "inventory.release";
        /// The stock has left.
        Command Commit = InventoryCommit "inventory.commit";
        /// The stock is reserved.
        Event Reserved(Vec<StockLine>) = InventoryReserved "inventory.reserved";
        /// The stock is refused.
        Event Failed(Refusal) = InventoryFailed "inventory.failed";
        /// The stock is back, or was never taken and never will be.
        Event Released = InventoryReleased "inventory.released";
        /// The stock has left.
        Event Committed = InventoryCommitted "inventory.committed";
    }
    /// Messages about payments.
    Payment(PaymentMessage) {
        /// Take the money.
        Command Process(PaymentProcess) = PaymentProcess "payment.process";
        /// Give the money back.
        Command Refund = PaymentRefund "payment.refund";
        /// The money is taken.
        Event Approved(PaymentApproved) = PaymentApproved "payment.approved";
        /// The money is refused.
        Event Failed(Refusal) = PaymentFailed "payment.failed";
        /// The money is back, or was never taken and never will be.
        Event Reversed = PaymentReversed "payment.reversed";
        /// There is a page where the customer can pay.
        Event ActionRequired(PaymentActionRequired) = PaymentActionRequired "payment.action_required";
        /// Money that was approved is gone again: the bank took it back, or what was held ran out.
        Event Lapsed(Refusal) = PaymentLapsed "payment.lapsed";
        /// A person should know, or has to do, something.
        Event Attention(PaymentAttention) = PaymentAttention "payment.attention";
        /// A part of the money is given back while the order goes on.
        PublicEvent Refunded(PaymentRefunded) = PaymentRefunded "payment.refunded";
        /// The payment stands elsewhere than before.
        Event Updated(PaymentUpdated) = PaymentUpdated "payment.updated";
        /// The same in the shape of seed 004, for its consumers.
        PublicEvent StatusUpdated(PaymentStatusUpdated) = PaymentStatusUpdated "payment.status.updated";
    }
    /// Messages about parcels.
    Shipping(ShippingMessage) {
        /// Schedule the parcel.
        Command Schedule(ShippingSchedule) = ShippingSchedule "shipping.schedule";
        /// Cancel the parcel.
        Command Cancel = ShippingCancel "shipping.cancel";
        /// Hand the parcel to the carrier.
        Command Dispatch = ShippingDispatch "shipping.dispatch";
        /// Note the delivery.
        Command Deliver = ShippingDeliver "shipping.deliver";
        /// The parcel is scheduled.
        Event Scheduled(ShipmentScheduled) = ShippingScheduled "shipping.scheduled";
        /// The parcel is refused or cancelled.
        Event Failed(Refusal) = ShippingFailed "shipping.failed";
        /// The parcel has left.
        Event Dispatched = ShippingDispatched "shipping.dispatched";
        /// The parcel has arrived.
        Event Delivered = ShippingDelivered "shipping.delivered";
    }
    /// Messages about notifications.
    Notification(NotificationMessage) {
        /// Send this to a customer.
        Command Send(ChannelMessage) = NotificationSend "notification.send";
    }
}

impl Kind {
    /// True of what has happened, false of what is asked for.
    pub const fn is_event(self) -> bool {
        match self.role() {
            Role::Event | Role::PublicEvent | Role::Notice => true,
            Role::Command => false,
        }
    }

    /// True of the events that customers care for.
    pub const fn concerns_customer(self) -> bool {
        match self.role() {
            Role::PublicEvent | Role::Notice => true,
            Role::Command | Role::Event => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
