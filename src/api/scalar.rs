//! Ids and numbers of requests, kept as they were written until they are checked.

use crate::api::limits;
use ordermill_domain::money::{Currency, Money, MoneyError};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An id: a string, or a whole number taken for its digits.
#[derive(Clone, Debug)]
pub struct Id(String);

impl Id {
    /// The id as text.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrDigits;

        impl Visitor<'_> for TextOrDigits {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an integer")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrDigits)
    }
}

/// A JSON number that counts something: whether it is whole, and how large, is asked later, so that
/// every number at fault is told at once.
#[derive(Clone, Debug)]
pub struct Count(String);

impl Count {
    /// The number, when it is a whole one that an `i64` holds.
    pub fn whole(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get() {
            text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(D::Error::custom("expected an integer")),
        }
    }
}

/// An amount of money: a JSON number, or a string with one. Never a float: it is read digit by digit.
#[derive(Clone, Debug)]
pub struct Amount(String);

impl Amount {
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

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text).map(Self).map_err(D::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(text.to_owned())),
            _ => Err(D::Error::custom("expected a decimal number, for example 49.90")),
        }
    }
}

macro_rules! documented {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Type for $name {
                const IS_REQUIRED: bool = true;
                type RawValueType = Self;
                type RawElementValueType = Self;

                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn schema_ref() -> MetaSchemaRef {
                    MetaSchemaRef::Reference(Self::name().into_owned())
                }

                fn register(registry: &mut Registry) {
                    registry.create_schema::<Self, _>(Self::name().into_owned(), |_| $schema);
                }

                fn as_raw_value(&self) -> Option<&Self> {
                    Some(self)
                }

                fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                    Box::new(std::iter::once(self))
                }
            }

            impl ToJSON for $name {
                fn to_json(&self) -> Option<Value> {
                    None
                }
            }

            impl ParseFromJSON for $name {
                fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
                    // Bodies are read by `body::Raw`; this type only documents.
                    Err(ParseError::custom("read from its text"))
                }
            }
        )*
    };
}

documented! {
    /// Documents an [`Amount`] over 0.
    AmountInput = one_of(
        "A positive amount of money, with at most as many decimals as its currency has: a JSON \
         number or a decimal string.",
        [
            MetaSchema { minimum: Some(0.0), ..MetaSchema::new("number") },
            MetaSchema { pattern: Some(r"^[0-9]+(\.[0-9]+)?$".to_owned()), ..MetaSchema::new("string") },
        ],
    );
    /// Documents the [`Id`] of a product.
    ProductIdInput = id("A product: a SKU or a UUID", limits::PRODUCT_ID_MAX);
    /// Documents the [`Id`] of a customer.
    CustomerIdInput = id("A customer", limits::CUSTOMER_ID_MAX);
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
