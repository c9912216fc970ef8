//! Ids and numbers of requests, kept as they were written until they are checked: each one at fault is reported, and
//! no number is rounded.

use crate::api::limits;
use crate::api::schema::described;
use ordermill_domain::money::{Currency, Money, MoneyError};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::Type;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// The id of a customer: a string, or an integer for its digits.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct CustomerIdInput(#[serde(deserialize_with = "text_or_digits")] pub String);

described!([] CustomerIdInput, "CustomerIdInput", id("A customer", limits::CUSTOMER_ID_MAX), |_| None);

/// The id of a product: a string, or an integer for its digits.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct ProductIdInput(#[serde(deserialize_with = "text_or_digits")] pub String);

described!(
    [] ProductIdInput,
    "ProductIdInput",
    id("A product: a SKU or a UUID", limits::PRODUCT_ID_MAX),
    |_| None
);

fn text_or_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct TextOrDigits;

    impl Visitor<'_> for TextOrDigits {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or an integer")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(TextOrDigits)
}

/// A JSON number, documented as a `T`. Whether it is an integer that fits is asked later.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Count<T>(#[serde(deserialize_with = "number")] String, PhantomData<fn() -> T>);

described!([T: Type + 'static] Count<T> as T, |_| None);

impl<T: FromStr> Count<T> {
    /// The number, if it is an integer that a `T` holds.
    pub fn whole(&self) -> Option<T> {
        self.0.parse().ok()
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    match raw.get() {
        text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => Ok(text.to_owned()),
        _ => Err(D::Error::custom("expected an integer")),
    }
}

/// An amount of money: a JSON number, or a string with one. Never a float: it is read digit by digit.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct AmountInput(#[serde(deserialize_with = "decimal")] String);

described!(
    [] AmountInput,
    "AmountInput",
    one_of(
        "A positive amount of money, with at most as many decimals as its currency has: a JSON \
         number or a decimal string.",
        [
            MetaSchema { minimum: Some(0.0), ..MetaSchema::new("number") },
            MetaSchema {
                pattern: Some(r"^[0-9]+(\.[0-9]+)?$".to_owned()),
                ..MetaSchema::new("string")
            },
        ],
    ),
    |_| None
);

impl AmountInput {
    /// The minor units of an amount over 0, or what is wrong with it.
    pub fn more_than_nothing(&self, currency: Currency) -> Result<i64, String> {
        match Money::parse(&self.0, currency) {
            Ok(money) if money.minor > 0 => Ok(money.minor),
            Ok(_) => Err("must be greater than 0".to_owned()),
            Err(MoneyError::NotANumber(_)) => {
                Err("must be a decimal number, for example 49.90".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    match text.bytes().next() {
        Some(b'"') => serde_json::from_str(text).map_err(D::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(text.to_owned()),
        _ => Err(D::Error::custom("expected a decimal number, for example 49.90")),
    }
}

/// The schema of an id.
fn id(of: &'static str, max_length: usize) -> MetaSchema {
    let text = MetaSchema {
        min_length: Some(1),
        max_length: Some(max_length),
        ..MetaSchema::new("string")
    };
    let number = MetaSchema { minimum: Some(0.0), ..MetaSchema::new("integer") };
    one_of(of, [text, number])
}

fn one_of(description: &'static str, schemas: [MetaSchema; 2]) -> MetaSchema {
    MetaSchema {
        description: Some(description),
        one_of: schemas.into_iter().map(|schema| MetaSchemaRef::Inline(Box::new(schema))).collect(),
        ..MetaSchema::ANY
    }
}
