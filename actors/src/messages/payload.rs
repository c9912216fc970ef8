//! Every message's name and content.

use super::details::{Address, Contact, OrderDetails, Priority};
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::money::Money;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// A quantity of a product, without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLine {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// A product of which too little was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// How many were asked for.
    pub requested: u32,
    /// How many were available, by the committed stock that the refusal was decided on. None: unknown product.
    pub available: Option<i64>,
}

/// Why a service refused a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A machine-readable word: `insufficient_stock`, `unknown_product`, `declined`, `undeliverable`, …
    pub reason: String,
    /// For stock: what was short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
}

impl Refusal {
    /// A refusal that needs no more than a word.
    pub fn because(reason: &str) -> Self {
        Self { reason: reason.to_owned(), shortages: Vec::new() }
    }
}

/// A step of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reserve the stock.
    Inventory,
    /// Take the money.
    Payment,
    /// Schedule the parcel.
    Shipping,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Inventory, Self::Payment, Self::Shipping];

    /// The step's name in statuses and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Shipping => "shipping",
        }
    }
}

/// Why an order ended as cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed; `customer`; or, past the deadline, what the saga was doing, in lower case.
    pub step: String,
    /// Why.
    pub reason: String,
    /// For stock: what was short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
}

/// What a customer is told of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderNotice {
    /// Whom to tell.
    pub customer_id: String,
    /// How.
    pub contact: Contact,
    /// The order's total.
    pub total: Money,
    /// How fast the parcel is wanted; express customers are told first.
    #[serde(default)]
    pub priority: Priority,
    /// The parcel's tracking code, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_code: Option<String>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The command to take the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentProcess {
    /// How much.
    pub total: Money,
    /// How.
    pub method: String,
    /// From whom.
    pub customer_id: String,
}

/// The answer that the money was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentApproved {
    /// How much was captured.
    pub total: Money,
    /// The gateway's own identifier of the capture.
    pub transaction_id: String,
}

/// The command to schedule the parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingSchedule {
    /// How many units the parcel holds.
    pub units: u64,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How fast.
    #[serde(default)]
    pub priority: Priority,
    /// The order's total, whose currency is the freight's.
    pub total: Money,
}

/// The answer that the parcel is scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentScheduled {
    /// `TRK-` and 8 characters.
    pub tracking_code: String,
    /// What the carrier takes.
    pub freight: Money,
    /// When it should arrive.
    pub estimated_delivery: Timestamp,
}

/// A message for one customer through one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMessage {
    /// `email`, `sms`.
    pub channel: String,
    /// The address or number.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// How fast the customer wants the parcel; express customers are told first.
    #[serde(default)]
    pub priority: Priority,
}

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident $(($data:ty))? = $name:literal;)*) => {
        /// What a message says. Adjacently tagged: `{"event_type": "...", "data": ...}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "event_type", content = "data")]
        pub enum Payload {
            $($(#[$doc])* #[serde(rename = $name)] $variant $(($data))?,)*
        }

        /// The name of a message: an event's routing key, a command's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl Payload {
            /// Which kind it is.
            pub const fn kind(&self) -> Kind {
                match self { $(messages!(@pattern $variant $(($data))?) => Kind::$variant,)* }
            }

            /// Reads what a message of this kind says.
            pub(super) fn read(kind: Kind, data: Option<&RawValue>) -> serde_json::Result<Self> {
                match kind { $(Kind::$variant => messages!(@read data $variant $(($data))?),)* }
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
    /// The order was accepted.
    OrderCreated(Arc<OrderDetails>) = "order.created";
    /// All steps are done.
    OrderConfirmed(OrderNotice) = "order.confirmed";
    /// The parcel left and its stock with it.
    OrderShipped(OrderNotice) = "order.shipped";
    /// The customer has it.
    OrderCompleted(OrderNotice) = "order.completed";
    /// It ended, and everything that was done is undone.
    OrderCancelled(OrderNotice) = "order.cancelled";
    /// The customer, or the deadline, asked for the order's end.
    OrderCancelRequested(Failure) = "order.cancel_requested";
    /// The parcel may leave.
    OrderDispatchRequested = "order.dispatch_requested";
    /// The customer said that it arrived.
    OrderDeliveryConfirmed = "order.delivery_confirmed";

    /// Command: reserve the stock.
    InventoryReserve(Vec<StockLine>) = "inventory.reserve";
    /// Command: put the stock back.
    InventoryRelease = "inventory.release";
    /// Command: the stock has left.
    InventoryCommit = "inventory.commit";
    /// The stock is reserved.
    InventoryReserved(Vec<StockLine>) = "inventory.reserved";
    /// The stock is refused.
    InventoryFailed(Refusal) = "inventory.failed";
    /// The stock is back, or was never taken and never will be.
    InventoryReleased = "inventory.released";
    /// The stock has left.
    InventoryCommitted = "inventory.committed";

    /// Command: take the money.
    PaymentProcess(PaymentProcess) = "payment.process";
    /// Command: give the money back.
    PaymentRefund = "payment.refund";
    /// The money is taken.
    PaymentApproved(PaymentApproved) = "payment.approved";
    /// The money is refused.
    PaymentFailed(Refusal) = "payment.failed";
    /// The money is back, or was never taken and never will be.
    PaymentReversed = "payment.reversed";

    /// Command: schedule the parcel.
    ShippingSchedule(ShippingSchedule) = "shipping.schedule";
    /// Command: cancel the parcel.
    ShippingCancel = "shipping.cancel";
    /// Command: hand the parcel to the carrier.
    ShippingDispatch = "shipping.dispatch";
    /// Command: note the delivery.
    ShippingDeliver = "shipping.deliver";
    /// The parcel is scheduled.
    ShippingScheduled(ShipmentScheduled) = "shipping.scheduled";
    /// The parcel is refused or cancelled.
    ShippingFailed(Refusal) = "shipping.failed";
    /// The parcel has left.
    ShippingDispatched = "shipping.dispatched";
    /// The parcel has arrived.
    ShippingDelivered = "shipping.delivered";

    /// Command: send this to a customer.
    NotificationSend(ChannelMessage) = "notification.send";
}

impl Kind {
    /// True of what has happened, false of what is asked for (a command).
    pub const fn is_event(self) -> bool {
        !matches!(
            self,
            Self::InventoryReserve
                | Self::InventoryRelease
                | Self::InventoryCommit
                | Self::PaymentProcess
                | Self::PaymentRefund
                | Self::ShippingSchedule
                | Self::ShippingCancel
                | Self::ShippingDispatch
                | Self::ShippingDeliver
                | Self::NotificationSend
        )
    }

    /// True of the events that customers care for.
    pub const fn concerns_customer(self) -> bool {
        matches!(
            self,
            Self::OrderCreated
                | Self::OrderConfirmed
                | Self::OrderShipped
                | Self::OrderCompleted
                | Self::OrderCancelled
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
