//! The contents of messages, except for the order itself.

use super::address::{Address, Contact, Priority};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::money::Money;
use crate::payment::{Attention, Page, PaymentStatus, PaymentTry, Provider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// A quantity of a product, without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockLine {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// A product of which too little was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// How many were asked for.
    pub requested: u32,
    /// How many were available, by the committed stock that the refusal was decided on. None: unknown product.
    pub available: Option<i64>,
}

/// Why a service refused a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Why an order ended as cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Where it can be paid. Only in the notice that it has to be; audit's copy is without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Page>,
}

/// The command to take the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentProcess {
    /// How much.
    pub total: Money,
    /// How.
    pub method: String,
    /// From whom.
    pub customer_id: String,
    /// When the order was placed: it must be paid before the order's deadline.
    pub placed_at: Timestamp,
}

/// The answer that the money was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentApproved {
    /// How much was captured.
    pub total: Money,
    /// The gateway's own identifier of the capture.
    pub transaction_id: String,
}

/// The customer has to do something: there is a page where the order can be paid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentActionRequired {
    /// The page. A bearer link: in no log, in no list, and not in the audit trail, whose copy is without it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Until when it can be paid there.
    pub expires_at: Timestamp,
    /// How much is to be paid.
    pub amount: Money,
}

/// Without the address, which is a bearer link.
impl fmt::Debug for PaymentActionRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, expires_at, amount } = self;
        f.debug_struct("PaymentActionRequired")
            .field("expires_at", expires_at)
            .field("amount", amount)
            .finish_non_exhaustive()
    }
}

/// Something that a person should know, or has to do, about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAttention {
    /// What.
    pub attention: Attention,
}

/// A part of the money is given back while the order goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// The refund. None: it was made in the gateway's dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<Uuid>,
    /// How much.
    pub amount: Money,
    /// How much in all, up to now.
    pub refunded_total: Money,
}

/// Where a payment stands after a change. Told of payments by page, and of every payment that a person has to see to:
/// of the others `payment.approved`, `payment.failed` and `payment.reversed` say all there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentUpdated {
    /// The status.
    pub status: PaymentStatus,
    /// The status in the update before. None: this is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PaymentStatus>,
    /// The gateway.
    pub provider: Provider,
    /// The method: that of the customer's latest try, or else the order's.
    pub method: String,
    /// Captured up to now, in minor units of the order's currency.
    pub captured_minor: i64,
    /// Given back up to now, in minor units.
    pub refunded_minor: i64,
    /// The customer's latest try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try: Option<PaymentTry>,
    /// Until when what is authorised can be captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_before: Option<Timestamp>,
    /// What a person should know or do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
}

/// The event of seed 004 that a payment's status changed, in that system's shape: its `payment_id` is ours, its
/// `order_id` the order's. The customer's id is not of that shape: the notification service stores the event for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentStatusUpdated {
    /// `SUCCESS`, `PENDING`, `EXPIRED` or `FAILED`.
    pub payment_status: String,
    /// The payment's key at the gateway.
    pub payment_id: Uuid,
    /// The order.
    pub order_id: OrderId,
    /// The method.
    pub payment_method: String,
    /// Whose payment it is. Empty in a message from before it was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer_id: String,
}

/// The command to schedule the parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentScheduled {
    /// `TRK-` and 8 characters.
    pub tracking_code: String,
    /// The price of the carrier.
    pub freight: Money,
    /// When it should arrive.
    pub estimated_delivery: Timestamp,
}

/// A message for one customer through one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelMessage {
    /// `email`, `sms`.
    pub channel: String,
    /// The address or number.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text, without the page.
    pub body: String,
    /// The page that the text asks the customer to pay at. Apart, so that what shows messages can leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// How fast the customer wants the parcel; express customers are told first.
    #[serde(default)]
    pub priority: Priority,
}

impl ChannelMessage {
    /// The whole text as the customer gets it: with the page, where there is one.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.page {
            None => Cow::Borrowed(&self.body),
            Some(page) => Cow::Owned(format!("{}\n\nPay here: {}\n", self.body, page.url)),
        }
    }
}
