//! Money: an integer number of minor units and an ISO 4217 currency. Never a float.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use thiserror::Error;

/// Active ISO 4217 codes whose minor unit is a hundredth.
const TWO_DECIMALS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
     CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
     HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD \
     MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON \
     RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD \
     TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";
/// Active ISO 4217 codes without a minor unit.
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Active ISO 4217 codes whose minor unit is a thousandth.
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
/// Bytes from one code of these lists to the next.
const CODE_AND_SPACE: usize = 4;

/// The largest amount taken, in minor units: ten trillion in most currencies, far below what
/// would overflow when a hundred lines are added up.
pub const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000_000;

/// Why a text is no amount of money.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not an active ISO 4217 code.
    #[error("`{0}` is no ISO 4217 currency code")]
    UnknownCurrency(String),
    /// Not a plain decimal number.
    #[error("`{0}` is no decimal number")]
    NotANumber(String),
    /// More decimals than the currency has.
    #[error("`{text}` has more than the {decimals} decimals of {currency}")]
    TooPrecise {
        /// The amount as it was written.
        text: String,
        /// How many decimals the currency has.
        decimals: u32,
        /// The currency.
        currency: Currency,
    },
    /// Outside of what is taken.
    #[error("the amount is larger than is taken")]
    TooLarge,
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency {
    code: [u8; 3],
    /// Known with the code: every amount that is written asks for it.
    decimals: u8,
}

impl Currency {
    /// The United States dollar, the default of requests that name no currency.
    pub const USD: Self = Self { code: *b"USD", decimals: 2 };

    /// The currency of an upper-case ISO 4217 code.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(8).collect());
        let code = <[u8; 3]>::try_from(code.as_bytes()).map_err(|_| unknown())?;
        let listed = |list: &str| list.as_bytes().chunks(CODE_AND_SPACE).any(|at| at[..3] == code);
        let decimals = match () {
            () if listed(TWO_DECIMALS) => 2,
            () if listed(NO_DECIMALS) => 0,
            () if listed(THREE_DECIMALS) => 3,
            () => return Err(unknown()),
        };
        Ok(Self { code, decimals })
    }

    /// The code, as in `USD`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a currency is made from ASCII codes only")
    }

    /// How many decimals its amounts have.
    pub fn decimals(self) -> u32 {
        u32::from(self.decimals)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

/// An amount of money. In messages: `{"amount": "49.90", "currency": "USD"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Money {
    /// The amount in the currency's minor unit (cents for USD).
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct Written {
    amount: String,
    currency: Currency,
}

impl TryFrom<Written> for Money {
    type Error = MoneyError;
    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Self::parse(&written.amount, written.currency)
    }
}

impl From<Money> for Written {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal(), currency: money.currency }
    }
}

impl Money {
    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Parses a decimal text such as `49.9`, `-3` or `4.99e1` exactly.
    ///
    /// Refuses more decimals than the currency has (trailing zeros apart) and amounts over
    /// [`AMOUNT_MAX_MINOR`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(text.chars().take(40).collect());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse::<i32>().map_err(|_| not_a_number())?)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        if whole.is_empty() || digits.len() > 64 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(not_a_number());
        }
        let significant = digits.trim_start_matches('0');
        let trimmed = significant.trim_end_matches('0');
        if trimmed.is_empty() {
            return Ok(Self::zero(currency));
        }
        let decimals = currency.decimals();
        // trimmed × 10^shift is the amount in minor units.
        let dropped = (significant.len() - trimmed.len()) as i64;
        let shift = i64::from(exponent) - fraction.len() as i64 + i64::from(decimals) + dropped;
        if shift < 0 {
            let text = text.chars().take(40).collect();
            return Err(MoneyError::TooPrecise { text, decimals, currency });
        }
        let power = u32::try_from(shift).ok().and_then(|shift| 10_i64.checked_pow(shift));
        let minor = trimmed
            .parse::<i64>()
            .ok()
            .zip(power)
            .and_then(|(units, power)| units.checked_mul(power))
            .filter(|minor| *minor <= AMOUNT_MAX_MINOR)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The amount as a decimal with all decimals of the currency, as in `49.90`.
    pub fn decimal(&self) -> String {
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        if decimals == 0 {
            return format!("{sign}{minor}");
        }
        format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = decimals as usize)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly() {
        let minor = |text: &str| Money::parse(text, Currency::USD).map(|money| money.minor);
        assert_eq!(minor("49.90"), Ok(4990));
        assert_eq!(minor("49.9000"), Ok(4990));
        assert_eq!(minor("4.99e1"), Ok(4990));
        assert_eq!(minor("0"), Ok(0));
        assert_eq!(minor("-1"), Ok(-100));
        assert_eq!(minor("1e309"), Err(MoneyError::TooLarge));
        assert!(matches!(minor("0.001"), Err(MoneyError::TooPrecise { .. })));
        for bad in ["", ".", "1.2.3", "abc", "1e", "NaN", "+1", "1e99999999999", ".5"] {
            assert!(matches!(minor(bad), Err(MoneyError::NotANumber(_))), "{bad}");
        }
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(Money::parse("120", yen).unwrap().decimal(), "120");
        assert!(Currency::parse("XYZ").is_err() && Currency::parse("usd").is_err());
    }

    #[test]
    fn every_listed_code_is_a_currency_and_knows_its_decimals() {
        for (list, decimals) in [(TWO_DECIMALS, 2), (NO_DECIMALS, 0), (THREE_DECIMALS, 3)] {
            for code in list.split_ascii_whitespace() {
                let currency = Currency::parse(code).unwrap();
                assert_eq!((currency.code(), currency.decimals()), (code, decimals));
                let json = serde_json::to_string(&currency).unwrap();
                assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
            }
        }
        for bad in ["", "US", "USDX", "ED ", "D A"] {
            assert!(Currency::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in -AMOUNT_MAX_MINOR..AMOUNT_MAX_MINOR) {
            for code in ["USD", "JPY", "KWD"] {
                let money = Money { minor, currency: Currency::parse(code).unwrap() };
                prop_assert_eq!(Money::parse(&money.decimal(), money.currency), Ok(money));
            }
        }
    }
}
