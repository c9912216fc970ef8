//! Every message's name and content.

use super::content::{
    ChannelMessage, Failure, OrderNotice, PaymentApproved, PaymentProcess, Refusal,
    ShipmentScheduled, ShippingSchedule, StockLine,
};
use super::details::OrderDetails;
use crate::ids::ServiceName;
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
    ($($service:ident {
        $($(#[$doc:meta])* $role:ident $variant:ident $(($data:ty))? = $name:literal;)*
    })*) => {
        /// What a message says. Adjacently tagged: `{"event_type": "...", "data": ...}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "event_type", content = "data")]
        pub enum Payload {
            $($($(#[$doc])* #[serde(rename = $name)] $variant $(($data))?,)*)*
        }

        /// The name of a message: an event's routing key, a command's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($($(#[$doc])* #[serde(rename = $name)] $variant,)*)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The name as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// Its role.
            pub const fn role(self) -> Role {
                match self { $($(Self::$variant => Role::$role,)*)* }
            }

            /// The service that a command is for, or that an event comes from.
            pub const fn service(self) -> ServiceName {
                match self { $($(Self::$variant => ServiceName::$service,)*)* }
            }
        }

        impl Payload {
            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $($(messages!(@pattern $variant $(($data))?) => Kind::$variant,)*)* }
            }

            /// Reads what a message of this kind says.
            pub(super) fn read(kind: Kind, data: Option<&RawValue>) -> serde_json::Result<Self> {
                match kind { $($(Kind::$variant => messages!(@read data $variant $(($data))?),)*)* }
            }
        }
    };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident ($data:ty)) => { Self::$variant(_) };
    (@read $raw:ident $variant:ident) => { Ok(Self::$variant) };
    (@read $raw:ident $variant:ident ($data:ty)) => {
        serde_json::from_str::<$data>($raw.map_or("null", RawValue::get)).map(Self::$variant)
    };
}

messages! {
    Order {
        /// The order was accepted.
        PublicEvent OrderCreated(Arc<OrderDetails>) = "order.created";
        /// All steps are done.
        Notice OrderConfirmed(OrderNotice) = "order.confirmed";
        /// The parcel left and its stock with it.
        Notice OrderShipped(OrderNotice) = "order.shipped";
        /// The customer has it.
        Notice OrderCompleted(OrderNotice) = "order.completed";
        /// It ended, and everything that was done is undone.
        Notice OrderCancelled(OrderNotice) = "order.cancelled";
        /// The customer, or the deadline, asked for the order's end.
        Event OrderCancelRequested(Failure) = "order.cancel_requested";
        /// The parcel may leave.
        Event OrderDispatchRequested = "order.dispatch_requested";
        /// The customer said that it arrived.
        Event OrderDeliveryConfirmed = "order.delivery_confirmed";
    }
    Inventory {
        /// Reserve the stock.
        Command InventoryReserve(Vec<StockLine>) = "inventory.reserve";
        /// Put the stock back.
        Command InventoryRelease = "inventory.release";
        /// The stock has left.
        Command InventoryCommit = "inventory.commit";
        /// The stock is reserved.
        Event InventoryReserved(Vec<StockLine>) = "inventory.reserved";
        /// The stock is refused.
        Event InventoryFailed(Refusal) = "inventory.failed";
        /// The stock is back, or was never taken and never will be.
        Event InventoryReleased = "inventory.released";
        /// The stock has left.
        Event InventoryCommitted = "inventory.committed";
    }
    Payment {
        /// Take the money.
        Command PaymentProcess(PaymentProcess) = "payment.process";
        /// Give the money back.
        Command PaymentRefund = "payment.refund";
        /// The money is taken.
        Event PaymentApproved(PaymentApproved) = "payment.approved";
        /// The money is refused.
        Event PaymentFailed(Refusal) = "payment.failed";
        /// The money is back, or was never taken and never will be.
        Event PaymentReversed = "payment.reversed";
    }
    Shipping {
        /// Schedule the parcel.
        Command ShippingSchedule(ShippingSchedule) = "shipping.schedule";
        /// Cancel the parcel.
        Command ShippingCancel = "shipping.cancel";
        /// Hand the parcel to the carrier.
        Command ShippingDispatch = "shipping.dispatch";
        /// Note the delivery.
        Command ShippingDeliver = "shipping.deliver";
        /// The parcel is scheduled.
        Event ShippingScheduled(ShipmentScheduled) = "shipping.scheduled";
        /// The parcel is refused or cancelled.
        Event ShippingFailed(Refusal) = "shipping.failed";
        /// The parcel has left.
        Event ShippingDispatched = "shipping.dispatched";
        /// The parcel has arrived.
        Event ShippingDelivered = "shipping.delivered";
    }
    Notification {
        /// Send this to a customer.
        Command NotificationSend(ChannelMessage) = "notification.send";
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
