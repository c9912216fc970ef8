//! The fields of a JSON object whose types cannot be trusted: amounts and codes come as text or as numbers, and what
//! is not needed may be anything.

use crate::error::printable;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::GatewayError;
use serde_json::{Map, Value};

/// Rupiah have cents in ISO 4217 and in Ordermill, and none at Midtrans.
const RUPIAH_MINOR: i64 = 100;

/// The currency of everything at Midtrans.
pub(crate) fn rupiah() -> Currency {
    Currency::parse("IDR").expect("the rupiah is in use")
}

/// An amount as Midtrans takes it: whole rupiah. None: there are cents, another currency, or nothing.
pub(crate) fn whole_rupiah(amount: Money) -> Option<i64> {
    let whole = amount.currency == rupiah() && amount.minor > 0 && amount.minor % RUPIAH_MINOR == 0;
    whole.then_some(amount.minor / RUPIAH_MINOR)
}

/// A JSON object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads an object. None: it is something else.
    pub fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// A field that is not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// An object within.
    pub fn object(&self, name: &str) -> Option<Self> {
        self.get(name)?.as_object().cloned().map(Self)
    }

    /// The objects of a list.
    pub fn objects(&self, name: &str) -> Vec<Self> {
        let list = self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_object).cloned().map(Self).collect()
    }

    /// An amount in minor units, from a text or a number. None: there is none.
    pub fn amount_minor(&self, name: &str) -> Result<Option<i64>, GatewayError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let invalid = || GatewayError::Invalid(format!("`{name}` is not an amount of money"));
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(invalid()),
        };
        let money = Money::parse(&text, rupiah()).map_err(|_| invalid())?;
        if money.minor < 0 { Err(invalid()) } else { Ok(Some(money.minor)) }
    }

    /// Midtrans' code of the answer.
    pub fn code(&self) -> Option<u16> {
        let code = match self.get("status_code")? {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64().and_then(|code| u16::try_from(code).ok()),
            _ => None,
        };
        code.filter(|code| (100..1000).contains(code))
    }

    /// What Midtrans says about it in words.
    pub fn message(&self) -> String {
        let lists = ["error_messages", "validation_messages"].into_iter();
        let messages = lists.filter_map(|name| self.get(name)?.as_array()).flatten();
        let mut words: Vec<&str> = self.text("status_message").into_iter().collect();
        words.extend(messages.filter_map(Value::as_str));
        printable(&words.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(value: &str) -> Result<Option<i64>, GatewayError> {
        let body = format!(r#"{{"amount":{value}}}"#);
        Fields::parse(body.as_bytes()).unwrap().amount_minor("amount")
    }

    #[test]
    fn amounts_are_texts_or_numbers() {
        for value in [r#""145000.00""#, r#""145000""#, "145000", "145000.00", "1.45e5"] {
            assert_eq!(amount(value), Ok(Some(14_500_000)), "{value}");
        }
        assert_eq!(amount("null"), Ok(None));
        for value in [r#""""#, r#""-1""#, "-1", "true", "[]", "{}", "0.001", "1e99", r#""1,000""#] {
            assert!(matches!(amount(value), Err(GatewayError::Invalid(_))), "{value}");
        }
    }

    #[test]
    fn midtrans_takes_whole_rupiah() {
        let whole = |minor, currency| whole_rupiah(Money { minor, currency });
        assert_eq!(whole(14_500_000, rupiah()), Some(145_000));
        assert_eq!(whole(14_500_050, rupiah()), None);
        assert_eq!(whole(0, rupiah()), None);
        assert_eq!(whole(14_500_000, Currency::USD), None);
    }
}
