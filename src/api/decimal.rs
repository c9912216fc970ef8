//! Money in answers: a JSON number that is exactly the decimal.

use crate::api::schema::described;
use ordermill_domain::money::Money;
use poem_openapi::registry::MetaSchema;
use serde_json::{Number, Value};

/// An amount, written as a JSON number. Amounts have 15 digits at the most (`AMOUNT_MAX_MINOR`), which a
/// double holds exactly enough to be printed back digit by digit; inside they are integers.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(pub Money);

impl Decimal {
    /// As JSON.
    pub fn number(self) -> Number {
        let written: Option<f64> = self.0.decimal().parse().ok();
        written.and_then(Number::from_f64).unwrap_or_else(|| Number::from(0))
    }
}

described!(
    [] Decimal,
    "Amount",
    MetaSchema {
        description: Some(
            "An amount of money in the currency given next to it: at most as many decimals as the \
             currency has, and at most 15 digits.",
        ),
        example: Some(Value::from(49.9)),
        ..MetaSchema::new_with_format("number", "decimal")
    },
    |amount| Some(Value::Number(amount.number()))
);

#[cfg(test)]
mod tests {
    use super::*;
    use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency};

    #[test]
    fn every_amount_is_printed_exactly() {
        let mut minor = 1_i64;
        while minor < AMOUNT_MAX_MINOR {
            for near in [minor - 1, minor, minor + 1, minor * 7 / 3] {
                for code in ["USD", "JPY", "KWD"] {
                    let currency = Currency::parse(code).unwrap();
                    let money = Money { minor: near.min(AMOUNT_MAX_MINOR), currency };
                    let printed = Decimal(money).number().to_string();
                    assert_eq!(Money::parse(&printed, currency), Ok(money), "{printed}");
                }
            }
            minor = minor * 3 + 7;
        }
    }
}
