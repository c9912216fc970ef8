//! The gateway, as its journal and its store see it: every change is decided on the locked entries.

use super::entry::Entry;
use super::methods::GatewayPolicy;
use super::response::{GatewayResponse, Visit};
use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::payment::{GatewayKey, GatewayRequest, Operation};
use crate::service::{BatchDecision, Outcome, Service};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The gateway.
#[derive(Clone, Debug, Default)]
pub struct SimulatedGateway {
    /// How it behaves.
    pub policy: GatewayPolicy,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayChange {
    /// The payment service asks.
    Ask(GatewayRequest),
    /// A customer does something at the page under a key.
    Visit(GatewayKey, Visit),
}

impl GatewayChange {
    /// The key that it is about.
    pub fn key(&self) -> GatewayKey {
        match self {
            Self::Ask(request) => request.subject.key,
            Self::Visit(key, _) => *key,
        }
    }

    /// True when it makes an entry where there is none.
    fn makes_entry(&self) -> bool {
        match self {
            Self::Ask(request) => {
                matches!(request.operation, Operation::Create(_) | Operation::Cancel)
            }
            Self::Visit(..) => false,
        }
    }

    fn decide(&self, entry: &mut Entry, policy: &GatewayPolicy, at: Timestamp) -> GatewayResponse {
        match self {
            Self::Ask(request) => entry.ask(request, policy, at),
            Self::Visit(_, visit) => entry.visit(*visit, at),
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
            let response = if change.makes_entry() || entries.contains_key(&key) {
                let entry = entries.entry(key).or_insert_with(|| Entry::new(key, at));
                change.decide(entry, &self.policy, at)
            } else {
                change.decide(&mut Entry::new(key, at), &self.policy, at)
            };
            outcomes.push(Outcome::Done(response));
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
