//! What is ordered for each scenario, as the request that places it.

use super::catalogue::{Catalogue, Product, decimal};
use super::currency::CURRENCY;
use super::scenario::Scenario;
use serde::Serialize;
use serde_json::value::RawValue;

/// A request for an order.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Request<'a> {
    /// The full form.
    Full(Full<'a>),
    /// One product and a total.
    Short(Short<'a>),
}

/// The full form.
#[derive(Serialize)]
pub(super) struct Full<'a> {
    customer_id: &'a str,
    payment_method: &'static str,
    currency: &'static str,
    items: Vec<Item>,
    email: &'static str,
    address: Address,
    priority: &'static str,
}

/// The short form.
#[derive(Serialize)]
pub(super) struct Short<'a> {
    user_id: u32,
    product_id: &'a str,
    quantity: u32,
    total_amount: Box<RawValue>,
}

#[derive(Serialize)]
struct Item {
    product_id: String,
    quantity: u32,
    unit_price: Box<RawValue>,
}

#[derive(Serialize)]
struct Address {
    name: &'static str,
    street: &'static str,
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
}

/// What a customer takes to the till.
pub(super) struct OrderMix<'a> {
    /// The request.
    pub(super) request: Request<'a>,
    /// What is in it: product and quantity.
    pub(super) lines: Vec<(String, i64)>,
    /// What it costs, in cents.
    pub(super) total_minor: i64,
}

/// Fills the order of one customer. The number makes orders of one scenario differ a little.
pub(super) fn fill(catalogue: &Catalogue, scenario: Scenario, number: usize) -> OrderMix<'_> {
    let Catalogue { mug, shirt, book, last, rare, .. } = catalogue;
    let few = number % 3 + 1;
    let picked: Vec<(&Product, usize)> = match scenario {
        Scenario::SeveralProducts => vec![(mug, few), (shirt, 1), (book, 2)],
        Scenario::LastUnits => vec![(last, 1)],
        Scenario::OneOfTwoShort => vec![(mug, few), (rare, 2)],
        Scenario::ShortForm => vec![(book, few)],
        Scenario::UnknownProduct
        | Scenario::OneProduct
        | Scenario::PlacedTwice
        | Scenario::PaymentRefused
        | Scenario::TimeoutCharged
        | Scenario::TimeoutUncharged
        | Scenario::PaidAtPage
        | Scenario::NeverPaid
        | Scenario::PaidTooLate
        | Scenario::Undeliverable
        | Scenario::CancelledAtOnce
        | Scenario::CancelledLater
        | Scenario::Dispatched
        | Scenario::Delivered => vec![(if number.is_multiple_of(2) { mug } else { shirt }, few)],
    };
    let sku = |product: &Product| match scenario {
        Scenario::UnknownProduct => catalogue.unknown_sku(),
        _ => product.sku.clone(),
    };
    let total_minor = picked.iter().map(|(product, n)| product.price_minor * *n as i64).sum();
    let lines = picked.iter().map(|(product, n)| (sku(product), *n as i64)).collect();
    let request = if scenario == Scenario::ShortForm {
        Request::Short(Short {
            user_id: catalogue.user_id,
            product_id: &book.sku,
            quantity: few as u32,
            total_amount: number_of(total_minor),
        })
    } else {
        let items = picked.iter().map(|(product, n)| Item {
            product_id: sku(product),
            quantity: *n as u32,
            unit_price: number_of(product.price_minor),
        });
        Request::Full(full(catalogue, scenario, items.collect()))
    };
    OrderMix { request, lines, total_minor }
}

fn full(catalogue: &Catalogue, scenario: Scenario, items: Vec<Item>) -> Full<'_> {
    Full {
        customer_id: &catalogue.customer_id,
        payment_method: match scenario {
            Scenario::PaymentRefused => "test_declined",
            Scenario::TimeoutCharged => "test_timeout_charged",
            Scenario::TimeoutUncharged => "test_timeout_uncharged",
            Scenario::PaidAtPage | Scenario::NeverPaid => "test_redirect",
            Scenario::PaidTooLate => "test_redirect_late",
            _ => "credit_card",
        },
        currency: "USD",
        items,
        email: "customer@example.com",
        address: Address {
            name: "Ada Miller",
            street: "1 Mill Lane",
            city: "Millbrook",
            // The simulated carrier's test address.
            postal_code: if scenario == Scenario::Undeliverable {
                "TEST-UNDELIVERABLE"
            } else {
                "12545"
            },
            country: "US",
        },
        priority: if scenario == Scenario::Delivered { "express" } else { "standard" },
    }
}

/// An amount as a JSON number with all its decimals, never through a float.
fn number_of(minor: i64) -> Box<RawValue> {
    debug_assert_eq!(CURRENCY.decimals(), 2);
    RawValue::from_string(decimal(minor)).expect("a decimal is a JSON number")
}
