//! Ids and numbers of requests, kept as they were written until they are checked.

use ordermill_actors::money::{Currency, Money, MoneyError};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
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
                f.write_str("a string or a whole number")
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
            _ => Err(D::Error::custom("a whole number is expected")),
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
            Ok(_) => Err("must be more than 0".to_owned()),
            Err(MoneyError::NotANumber(_)) => {
                Err("must be a decimal number, as in 49.90".to_owned())
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
            _ => Err(D::Error::custom("a decimal number is expected, as in 49.90")),
        }
    }
}
