//! Money: an integer number of minor units and an ISO 4217 currency. Never a float.

use iso_currency::{Currency as Iso, Flag};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use thiserror::Error;

mod json_schema;

/// In use, although the crate has a newer code for it: ISO 4217 lists the bolívar under both.
const STILL_IN_USE: [Iso; 1] = [Iso::VES];

/// The largest amount taken, in minor units: ten trillion in most currencies, far below what
/// would overflow when a hundred lines are added up.
pub const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000_000;

/// Why a text is no amount of money.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a code of ISO 4217.
    #[error("`{0}` is not a currency code of ISO 4217")]
    UnknownCurrency(String),
    /// A withdrawn code, a fund, a metal or a code for tests.
    #[error("`{0}` is not an active currency; expected an active code of ISO 4217")]
    NotInUse(Currency),
    /// Not a plain decimal number.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// More decimals than the currency has.
    #[error("`{text}` has more than {decimals} decimals, the maximum for {currency}")]
    TooPrecise {
        /// The amount as it was written.
        text: String,
        /// How many decimals the currency has.
        decimals: u32,
        /// The currency.
        currency: Currency,
    },
    /// Outside of what is taken.
    #[error("the amount exceeds the maximum")]
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

    /// The currency of an upper-case ISO 4217 code that is in use: one that a customer can pay in.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let currency = Self::read(code)?;
        let in_use = Iso::from_code(code).is_some_and(|iso| {
            let flags = iso.flags();
            flags.is_empty()
                || STILL_IN_USE.contains(&iso) && matches!(flags[..], [Flag::Superseded(_)])
        });
        if in_use { Ok(currency) } else { Err(MoneyError::NotInUse(currency)) }
    }

    /// The currency of a code that was taken once: also one that is withdrawn since.
    pub fn read(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(8).collect());
        let letters = <[u8; 3]>::try_from(code.as_bytes()).map_err(|_| unknown())?;
        // A metal has no minor unit, and no amount was ever in one.
        let decimals = Iso::from_code(code).and_then(Iso::exponent);
        let decimals = decimals.and_then(|decimals| u8::try_from(decimals).ok());
        Ok(Self { code: letters, decimals: decimals.ok_or_else(unknown)? })
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
        // In a row or in a message: it was in use when it was taken.
        Self::read(&code)
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

    /// Codes that 0.2.0 reads, by decimals: rows and messages may contain them.
    const READ: [(u32, &str); 3] = [
        (
            2,
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
             CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
             HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD \
             MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON \
             RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD \
             TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG",
        ),
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
    ];

    #[test]
    fn codes_that_may_stand_in_rows_are_read() {
        for (decimals, list) in READ {
            for code in list.split_ascii_whitespace() {
                let currency = Currency::read(code).unwrap();
                assert_eq!((currency.code(), currency.decimals()), (code, decimals));
                let json = serde_json::to_string(&currency).unwrap();
                assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
                // Withdrawn since, or a fund.
                let is_over = ["BGN", "UYI"].contains(&code);
                assert_eq!(Currency::parse(code).is_err(), is_over, "{code}");
            }
        }
        for bad in ["", "US", "USDX", "ED ", "D A", "usd", "DEM", "XAU", "XTS", "XXX"] {
            assert!(Currency::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn codes_in_use_are_taken_and_withdrawn_ones_are_not() {
        for (code, decimals) in [("XCG", 2), ("ZWG", 2), ("SLE", 2), ("VES", 2), ("VED", 2)] {
            assert_eq!(Currency::parse(code).map(Currency::decimals), Ok(decimals), "{code}");
        }
        for withdrawn in ["BGN", "HRK", "ZWL", "SLL", "CUC"] {
            assert!(
                matches!(Currency::parse(withdrawn), Err(MoneyError::NotInUse(_))),
                "{withdrawn}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_written_value_is_read_back(minor in -AMOUNT_MAX_MINOR..AMOUNT_MAX_MINOR) {
            for code in ["USD", "JPY", "KWD"] {
                let money = Money { minor, currency: Currency::parse(code).unwrap() };
                prop_assert_eq!(Money::parse(&money.decimal(), money.currency), Ok(money));
            }
        }
    }
}
