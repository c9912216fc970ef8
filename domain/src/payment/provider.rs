//! Which gateway takes the money of which currency.
//!
//! The provider is stored with each payment: a change of the settings finishes old payments with the gateway that
//! they began with.

use crate::money::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};
use thiserror::Error;

/// A payment gateway.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Provider {
    /// The simulated gateway, which is part of Ordermill.
    #[default]
    Simulated,
    /// Midtrans Snap (<https://docs.midtrans.com>).
    Midtrans,
}

impl Provider {
    /// Every provider.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name as settings and answers write it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The provider of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.as_str() == name)
    }

    /// The shortest life of a page that it creates. Midtrans: `expiry` of 5 minutes at least.
    pub const fn page_time_min(self) -> Duration {
        match self {
            Self::Simulated => Duration::ZERO,
            Self::Midtrans => Duration::from_secs(5 * 60),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no list of gateways.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RoutesError {
    /// Not `gateway:currency,currency`.
    #[error(
        "`{0}` is not a gateway with its currencies; expected, e.g., `midtrans:IDR` or `simulated:*`"
    )]
    Malformed(String),
    /// Nobody knows this gateway.
    #[error("`{0}` is not a gateway; expected `simulated` or `midtrans`")]
    UnknownProvider(String),
    /// Not a currency, or not one in use.
    #[error("{0}")]
    Currency(String),
    /// Two gateways for one currency.
    #[error("`{0}` has two gateways; expected one")]
    Twice(String),
    /// A gateway that does not take the currency.
    #[error("{provider} does not take {currency}")]
    NotTaken {
        /// The gateway.
        provider: Provider,
        /// The currency, or `*`.
        currency: String,
    },
}

/// The gateway of each currency, as in `midtrans:IDR; simulated:*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRoutes {
    by_currency: Vec<(Currency, Provider)>,
    others: Option<Provider>,
}

impl GatewayRoutes {
    /// Reads `gateway:currency,currency; gateway:*`.
    ///
    /// # Errors
    /// When a part is malformed, names an unknown gateway or currency, or a currency has two gateways.
    pub fn parse(text: &str) -> Result<Self, RoutesError> {
        let mut routes = Self { by_currency: Vec::new(), others: None };
        let mut parts = 0;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            parts += 1;
            let (name, currencies) =
                part.split_once(':').ok_or_else(|| RoutesError::Malformed(part.to_owned()))?;
            let name = name.trim();
            let provider = Provider::named(name)
                .ok_or_else(|| RoutesError::UnknownProvider(name.to_owned()))?;
            for code in currencies.split(',').map(str::trim) {
                routes.add(provider, code)?;
            }
        }
        if parts == 0 { Err(RoutesError::Malformed(text.to_owned())) } else { Ok(routes) }
    }

    fn add(&mut self, provider: Provider, code: &str) -> Result<(), RoutesError> {
        let twice = || RoutesError::Twice(code.to_owned());
        if provider == Provider::Midtrans && code != "IDR" {
            return Err(RoutesError::NotTaken { provider, currency: code.to_owned() });
        }
        if code == "*" {
            return match self.others.replace(provider) {
                None => Ok(()),
                Some(_) => Err(twice()),
            };
        }
        let currency =
            Currency::parse(code).map_err(|error| RoutesError::Currency(error.to_string()))?;
        if self.by_currency.iter().any(|(known, _)| *known == currency) {
            return Err(twice());
        }
        self.by_currency.push((currency, provider));
        Ok(())
    }

    /// The gateway that takes a currency. None: nobody takes it.
    pub fn provider(&self, currency: Currency) -> Option<Provider> {
        let own = self.by_currency.iter().find(|(known, _)| *known == currency);
        own.map(|(_, provider)| *provider).or(self.others)
    }

    /// The currencies that are routed by name.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.by_currency.iter().map(|(currency, _)| *currency)
    }

    /// True when some currency goes to this gateway.
    pub fn uses(&self, provider: Provider) -> bool {
        self.others == Some(provider) || self.by_currency.iter().any(|(_, used)| *used == provider)
    }
}

/// Every currency goes to the simulated gateway.
impl Default for GatewayRoutes {
    fn default() -> Self {
        Self { by_currency: Vec::new(), others: Some(Provider::Simulated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_one_gateway() {
        let routes = GatewayRoutes::parse("midtrans:IDR; simulated:USD, EUR").unwrap();
        let provider = |code| routes.provider(Currency::parse(code).unwrap());
        assert_eq!(provider("IDR"), Some(Provider::Midtrans));
        assert_eq!(provider("EUR"), Some(Provider::Simulated));
        assert_eq!(provider("JPY"), None);
        assert!(routes.uses(Provider::Midtrans));
        assert_eq!(GatewayRoutes::default().provider(Currency::USD), Some(Provider::Simulated));
        assert_eq!(GatewayRoutes::parse("simulated:*").unwrap(), GatewayRoutes::default());
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for text in [
            "",
            ";",
            "midtrans",
            "stripe:EUR",
            "midtrans:USD",
            "midtrans:*",
            "simulated:XXX",
            "simulated:idr",
            "simulated:",
            "simulated:*; simulated:*",
            "midtrans:IDR; simulated:IDR",
        ] {
            assert!(GatewayRoutes::parse(text).is_err(), "{text}");
        }
    }
}
