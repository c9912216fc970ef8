//! What a customer ordered, as it stands in `order.created` and in the order's row. Never changes.

use super::payload::{PaymentProcess, ShippingSchedule, StockLine};
use crate::ids::ProductId;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// How fast the parcel is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 3 to 7 days.
    #[default]
    Standard,
    /// The fastest that the carrier has.
    Express,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Express];

    /// The priority as requests and answers name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Express => "express",
        }
    }

    /// The priority of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }
}

/// Where the parcel goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The receiver's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country, as the customer wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// How the customer can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number, for text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What is bought.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDetails {
    /// Who buys.
    pub customer_id: String,
    /// How it is paid: `credit_card`, …, or one of the simulated gateway's test methods.
    pub payment_method: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// What is bought; a product stands in one line only.
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

    /// What inventory needs of it.
    pub fn stock_lines(&self) -> Vec<StockLine> {
        let line = |line: &Line| StockLine {
            product_id: line.product_id.clone(),
            quantity: line.quantity,
        };
        self.lines.iter().map(line).collect()
    }

    /// What payment needs of it.
    pub fn payment(&self) -> PaymentProcess {
        PaymentProcess {
            total: self.total(),
            method: self.payment_method.clone(),
            customer_id: self.customer_id.clone(),
        }
    }

    /// What shipping needs of it.
    pub fn parcel(&self) -> ShippingSchedule {
        ShippingSchedule {
            units: self.units(),
            address: self.address.clone(),
            priority: self.priority,
            total: self.total(),
        }
    }
}
