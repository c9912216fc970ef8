//! The gateway, as its journal and its store see it: every call is decided on the locked entries.

use super::ledger::{Entry, GatewayResponse};
use super::methods::GatewayPolicy;
use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::money::Money;
use crate::payment::{ChargeRequest, GatewayKey};
use crate::service::{BatchDecision, Outcome, Service};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The gateway.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedGateway {
    /// How it behaves.
    pub policy: GatewayPolicy,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayChange {
    /// Capture this.
    Charge(ChargeRequest),
    /// Close this key.
    Void(GatewayKey),
    /// Give this back.
    Refund(GatewayKey, Money),
}

impl GatewayChange {
    /// The key that it is about.
    pub fn key(&self) -> GatewayKey {
        match self {
            Self::Charge(request) => request.key,
            Self::Void(key) | Self::Refund(key, _) => *key,
        }
    }
}

/// The entries to write, each once, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayWrites {
    /// Of keys that were not known.
    pub inserted: Vec<Entry>,
    /// Of keys that were.
    pub updated: Vec<Entry>,
}

impl Service for SimulatedGateway {
    /// It is not one of the six: in this system's records it stands with the one that uses it.
    const NAME: ServiceName = ServiceName::Payment;
    type Change = GatewayChange;
    /// In their order, each once.
    type Keys = Vec<GatewayKey>;
    /// The entries that there are.
    type Rows = HashMap<GatewayKey, Entry>;
    type Writes = GatewayWrites;
    type Answer = GatewayResponse;

    fn keys(changes: &[GatewayChange]) -> Vec<GatewayKey> {
        let keys: BTreeSet<_> = changes.iter().map(GatewayChange::key).collect();
        keys.into_iter().collect()
    }

    fn decide_batch(
        &self,
        rows: HashMap<GatewayKey, Entry>,
        changes: &[GatewayChange],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let known: BTreeSet<_> = rows.keys().copied().collect();
        let mut entries: BTreeMap<_, _> = rows.into_iter().collect();
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let key = change.key();
            let entry = entries.entry(key).or_insert_with(|| Entry::new(key, at));
            outcomes.push(Outcome::Done(match change {
                GatewayChange::Charge(request) => entry.charge(request, &self.policy, at),
                GatewayChange::Void(_) => entry.void(at),
                GatewayChange::Refund(_, amount) => entry.refund(*amount, at),
            }));
        }
        let (updated, inserted) =
            entries.into_values().partition(|entry| known.contains(&entry.key));
        BatchDecision {
            writes: GatewayWrites { inserted, updated },
            outcomes,
            messages: Vec::new(),
        }
    }
}
