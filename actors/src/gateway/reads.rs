//! The gateway's ledger, as an auditor reads them.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::gateway::Entry;
use ordermill_domain::money::Currency;
use ordermill_domain::payment::GatewayKey;
use std::collections::BTreeMap;

/// Sums over the whole ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By currency.
    pub sums: BTreeMap<Currency, Sums>,
    /// How many captures there were.
    pub captures: u64,
    /// How many orders they were for: fewer than captures means that somebody paid twice.
    pub orders: u64,
}

/// Sums in one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The captured amount.
    pub captured_minor: i64,
    /// The refunded part of it.
    pub refunded_minor: i64,
}

/// Reads committed entries.
#[async_trait]
pub trait GatewayReads: Send + Sync + 'static {
    /// The ledger's entry under a key. None: the gateway was never asked under it.
    async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError>;

    /// Sums over the whole ledger.
    async fn totals(&self) -> Result<Totals, ReadError>;
}
