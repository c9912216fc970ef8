//! A disagreement: two services that do not say the same, and what each of them says.

use crate::ids::{OrderId, ProductId};
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// The subject of a disagreement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A product.
    Product(ProductId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => write!(f, "order {order}"),
            Self::Product(product) => write!(f, "product {product}"),
        }
    }
}

/// In which respect two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Aspect {
    /// Some service has records of an order that the order service does not have.
    UnknownOrder,
    /// A record is stored in a form that cannot be read.
    Unreadable,
    /// Stock reserved for the order.
    Reservation,
    /// The payment, as the payment service has it.
    Payment,
    /// The money that the gateway holds.
    Ledger,
    /// The parcel.
    Shipment,
    /// The events that the audit keeps.
    Audit,
    /// The notifications of the customer.
    Notification,
    /// Units of a product that are reserved.
    ReservedStock,
    /// Units of a product, as its movements add up.
    Movements,
}

impl Aspect {
    /// Every aspect.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word for it, in answers, logs and metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The statement of one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Statement {
    /// The service, or the table, that says it.
    pub by: String,
    /// Its content, in words.
    pub says: String,
}

impl Statement {
    /// A statement.
    pub fn new(by: &str, says: impl Into<String>) -> Self {
        Self { by: by.to_owned(), says: says.into() }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} says: {}", self.by, self.says)
    }
}

/// Two sides that differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Disagreement {
    /// Its subject.
    pub subject: Subject,
    /// In which respect.
    pub aspect: Aspect,
    /// The statement of each side.
    pub sides: [Statement; 2],
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.sides;
        write!(f, "{}: {}: {one}; {other}", self.subject, self.aspect.as_str())
    }
}
