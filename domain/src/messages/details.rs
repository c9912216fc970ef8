//! The contents of an order, as in `order.created` and in the order's row. They never change.

use super::address::{Address, Contact, Priority};
use super::content::{PaymentProcess, ShippingSchedule, StockLine};
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::money::{Currency, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The product.
    pub product_id: ProductId,
    /// How many, 1 to [`Line::QUANTITY_MAX`].
    pub quantity: u32,
    /// The price of one, in minor units, when the request named it (the shorthand form names only a total).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_minor: Option<i64>,
    /// The price of the line, in minor units.
    pub amount_minor: i64,
}

impl Line {
    /// The most units of one product in one order: above any honest order, far below any overflow.
    pub const QUANTITY_MAX: u32 = 1_000_000;
}

/// An order as its customer placed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDetails {
    /// The customer.
    pub customer_id: String,
    /// How it is paid: `credit_card`, …, or one of the simulated gateway's test methods.
    pub payment_method: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// The order lines; a product is in one line only.
    pub lines: Vec<Line>,
    /// The sum of the lines, in minor units.
    pub total_minor: i64,
    /// How the customer can be told.
    #[serde(default)]
    pub contact: Contact,
    /// Where the parcel goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How fast.
    #[serde(default)]
    pub priority: Priority,
}

impl OrderDetails {
    /// The order's total.
    pub fn total(&self) -> Money {
        Money { minor: self.total_minor, currency: self.currency }
    }

    /// How many parcels' worth of things: the sum of all quantities.
    pub fn units(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// The part that inventory needs.
    pub fn stock_lines(&self) -> Vec<StockLine> {
        let line = |line: &Line| StockLine {
            product_id: line.product_id.clone(),
            quantity: line.quantity,
        };
        self.lines.iter().map(line).collect()
    }

    /// The part that payment needs, of an order that was placed at that time.
    pub fn payment(&self, placed_at: Timestamp) -> PaymentProcess {
        PaymentProcess {
            total: self.total(),
            method: self.payment_method.clone(),
            customer_id: self.customer_id.clone(),
            placed_at,
        }
    }

    /// The part that shipping needs.
    pub fn parcel(&self) -> ShippingSchedule {
        ShippingSchedule {
            units: self.units(),
            address: self.address.clone(),
            priority: self.priority,
            total: self.total(),
        }
    }
}
