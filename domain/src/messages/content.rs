//! The contents of messages, except for the order itself.

use super::address::{Address, Contact, Priority};
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::money::Money;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

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
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The step's name in statuses and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
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

/// The content of a notice to the customer.
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
    /// The price of the carrier.
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
