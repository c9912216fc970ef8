//! What the demo reads of the server's answers. It takes no notice of the rest.

use super::currency::CURRENCY;
use super::scenario::Ending;
use ordermill_domain::money::Money;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An order.
#[derive(Deserialize)]
pub(crate) struct OrderView {
    pub(crate) order_id: String,
    pub(crate) status: String,
    saga: Option<SagaView>,
    pub(crate) failure: Option<FailureView>,
    /// In cents.
    #[serde(default, deserialize_with = "minor")]
    pub(crate) total_amount: i64,
}

#[derive(Deserialize)]
struct SagaView {
    status: String,
}

/// Why an order was cancelled.
#[derive(Deserialize)]
pub(crate) struct FailureView {
    pub(crate) step: String,
    #[serde(default)]
    pub(crate) reason: String,
}

impl OrderView {
    /// Whether nothing more happens to the order unless somebody asks.
    ///
    /// The saga tells: a confirmed order that is being cancelled is still called CONFIRMED.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.saga_status().is_some_and(|saga| matches!(saga, "COMPLETED" | "COMPENSATED"))
    }

    /// How it ended, or where it is.
    pub(crate) fn ending(&self) -> Ending {
        let at_rest = self.is_at_rest();
        match (self.status.as_str(), &self.failure) {
            ("CONFIRMED", _) if at_rest => Ending::Confirmed,
            ("SHIPPED", _) if at_rest => Ending::Shipped,
            ("COMPLETED", _) if at_rest => Ending::Completed,
            ("CANCELLED", Some(failure)) if at_rest => Ending::Cancelled(failure.step.clone()),
            (status, _) => {
                Ending::Lost(format!("{status}, saga {}", self.saga_status().unwrap_or("unknown")))
            }
        }
    }

    fn saga_status(&self) -> Option<&str> {
        self.saga.as_ref().map(|saga| saga.status.as_str())
    }
}

/// A page of orders.
#[derive(Deserialize)]
pub(crate) struct OrdersPage {
    pub(crate) orders: Vec<OrderView>,
    pub(crate) next_cursor: Option<String>,
}

/// What is stocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ProductStock {
    pub(crate) available_qty: i64,
    pub(crate) reserved_qty: i64,
    pub(crate) on_hand: i64,
}

/// Reads an amount, a JSON number or a text, exactly.
fn minor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get().trim_matches('"');
    if text == "null" {
        return Ok(0);
    }
    Money::parse(text, CURRENCY).map(|money| money.minor).map_err(D::Error::custom)
}
