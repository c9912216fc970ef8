//! What is ordered for each fate, as the request that places it.

use super::catalogue::{CURRENCY, Catalogue, Product, decimal};
use super::fate::Fate;
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
pub(super) struct Basket<'a> {
    /// The request.
    pub(super) request: Request<'a>,
    /// What is in it: product and quantity.
    pub(super) lines: Vec<(String, i64)>,
    /// What it costs, in cents.
    pub(super) total_minor: i64,
}

/// Fills the basket of one customer. The number makes baskets of one fate differ a little.
pub(super) fn fill(catalogue: &Catalogue, fate: Fate, number: usize) -> Basket<'_> {
    let Catalogue { mug, shirt, book, last, rare, .. } = catalogue;
    let few = number % 3 + 1;
    let picked: Vec<(&Product, usize)> = match fate {
        Fate::SeveralProducts => vec![(mug, few), (shirt, 1), (book, 2)],
        Fate::LastUnits => vec![(last, 1)],
        Fate::OneOfTwoShort => vec![(mug, few), (rare, 2)],
        Fate::ShortForm => vec![(book, few)],
        Fate::UnknownProduct
        | Fate::OneProduct
        | Fate::PlacedTwice
        | Fate::PaymentRefused
        | Fate::TimeoutCharged
        | Fate::TimeoutUncharged
        | Fate::Undeliverable
        | Fate::CancelledAtOnce
        | Fate::CancelledLater
        | Fate::Dispatched
        | Fate::Delivered => vec![(if number.is_multiple_of(2) { mug } else { shirt }, few)],
    };
    let sku = |product: &Product| match fate {
        Fate::UnknownProduct => catalogue.unknown_sku(),
        _ => product.sku.clone(),
    };
    let total_minor = picked.iter().map(|(product, n)| product.price_minor * *n as i64).sum();
    let lines = picked.iter().map(|(product, n)| (sku(product), *n as i64)).collect();
    let request = if fate == Fate::ShortForm {
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
        Request::Full(full(catalogue, fate, items.collect()))
    };
    Basket { request, lines, total_minor }
}

fn full(catalogue: &Catalogue, fate: Fate, items: Vec<Item>) -> Full<'_> {
    Full {
        customer_id: &catalogue.customer_id,
        payment_method: match fate {
            Fate::PaymentRefused => "test_declined",
            Fate::TimeoutCharged => "test_timeout_charged",
            Fate::TimeoutUncharged => "test_timeout_uncharged",
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
            postal_code: if fate == Fate::Undeliverable { "TEST-UNDELIVERABLE" } else { "12545" },
            country: "US",
        },
        priority: if fate == Fate::Delivered { "express" } else { "standard" },
    }
}

/// An amount as a JSON number with all its decimals, never through a float.
fn number_of(minor: i64) -> Box<RawValue> {
    debug_assert_eq!(CURRENCY.decimals(), 2);
    RawValue::from_string(decimal(minor)).expect("a decimal is a JSON number")
}
