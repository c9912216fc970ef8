//! Values and checks for tests.

#[cfg(feature = "testing")]
pub mod described;

use crate::ids::ProductId;
use crate::messages::{Contact, Line, OrderDetails, Priority};
use crate::money::Currency;

/// An order of these products and quantities, at 10.00 a unit.
pub fn order_of(lines: &[(&str, u32)], payment_method: &str) -> OrderDetails {
    let lines: Vec<Line> = lines
        .iter()
        .map(|(product, quantity)| Line {
            product_id: ProductId::from(*product),
            quantity: *quantity,
            unit_price_minor: Some(1_000),
            amount_minor: i64::from(*quantity) * 1_000,
        })
        .collect();
    OrderDetails {
        customer_id: "anna".to_owned(),
        payment_method: payment_method.to_owned(),
        currency: Currency::USD,
        total_minor: lines.iter().map(|line| line.amount_minor).sum(),
        lines,
        contact: Contact::default(),
        address: None,
        priority: Priority::Standard,
    }
}
