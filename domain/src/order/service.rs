//! The order service as its journal sees it: versioned saga rows, their history, idempotency keys.

use super::saga::{HistoryRow, Saga};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ServiceName};
use crate::messages::Message;
use crate::planted::{Bug, planted};
use crate::service::{BatchDecision, Outcome, Service, Versions};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The order service.
#[derive(Clone, Debug, Default)]
pub struct Order;

/// An `Idempotency-Key` and what it stands for. Kept for at least 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key as the client sent it.
    pub key: String,
    /// A digest of the request, to tell a repeat from another request.
    pub fingerprint: Vec<u8>,
    /// The order that it made.
    pub order_id: OrderId,
}

/// A saga's change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The order.
    pub order_id: OrderId,
    /// The version it was decided on; 0: there was none.
    pub expected: u64,
    /// The row from now on. None: it stays as it is.
    pub next: Option<Arc<Saga>>,
    /// The statuses passed through.
    pub history: Vec<HistoryRow>,
    /// The messages to send.
    pub messages: Vec<Arc<Message>>,
    /// The idempotency key of the request that placed it.
    pub claim: Option<Claim>,
}

/// The answer to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderAnswer {
    /// It is written.
    Written,
    /// The same request was here before and made this order: nothing is written.
    Replayed(OrderId),
    /// The key was here before with another request: nothing is written.
    KeyReused,
}

/// The rows that changes concern.
#[derive(Debug, Default)]
pub struct Keys {
    /// The orders.
    pub orders: BTreeSet<OrderId>,
    /// The idempotency keys.
    pub claims: BTreeSet<String>,
}

/// Those rows as they are.
#[derive(Debug, Default)]
pub struct Rows {
    /// The version of each order that is there.
    pub versions: HashMap<OrderId, u64>,
    /// The idempotency keys that are there.
    pub claims: HashMap<String, Claim>,
}

/// The writes of a batch.
#[derive(Debug, Default)]
pub struct Writes {
    /// New rows, by order.
    pub inserts: Vec<Arc<Saga>>,
    /// Rows that were there, by order.
    pub updates: Vec<Arc<Saga>>,
    /// History, appended.
    pub history: Vec<HistoryRow>,
    /// Idempotency keys, with the time they were made.
    pub claims: Vec<(Claim, Timestamp)>,
}

impl Service for Order {
    const NAME: ServiceName = ServiceName::Order;
    type Change = Change;
    type Keys = Keys;
    type Rows = Rows;
    type Writes = Writes;
    type Answer = OrderAnswer;

    fn keys(changes: &[Change]) -> Keys {
        Keys {
            orders: changes.iter().map(|change| change.order_id).collect(),
            claims: changes.iter().filter_map(|c| Some(c.claim.as_ref()?.key.clone())).collect(),
        }
    }

    fn decide_batch(
        &self,
        rows: Rows,
        changes: &[Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let Rows { versions, mut claims } = rows;
        let there: BTreeSet<OrderId> = versions.keys().copied().collect();
        let mut versions = Versions::new(versions);
        let mut last: BTreeMap<OrderId, &Arc<Saga>> = BTreeMap::new();
        let mut writes = Writes::default();
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut messages = Vec::new();
        for change in changes {
            if let Some(claim) = &change.claim
                && let Some(earlier) = claims.get(&claim.key)
                && earlier.order_id != claim.order_id
                && !planted(Bug::ForgetRequest)
            {
                outcomes.push(Outcome::Done(if earlier.fingerprint == claim.fingerprint {
                    OrderAnswer::Replayed(earlier.order_id)
                } else {
                    OrderAnswer::KeyReused
                }));
                continue;
            }
            let next = change.next.as_ref().map_or(change.expected, |saga| saga.version);
            if !versions.advance(&change.order_id, change.expected, next) {
                outcomes.push(Outcome::Refused);
                continue;
            }
            if let Some(saga) = &change.next {
                last.insert(change.order_id, saga);
            }
            if let Some(claim) = &change.claim {
                claims.insert(claim.key.clone(), claim.clone());
                writes.claims.push((claim.clone(), at));
            }
            writes.history.extend(change.history.iter().cloned());
            messages.extend(change.messages.iter().cloned());
            outcomes.push(Outcome::Done(OrderAnswer::Written));
        }
        for (order, saga) in last {
            let rows =
                if there.contains(&order) { &mut writes.updates } else { &mut writes.inserts };
            rows.push(saga.clone());
        }
        BatchDecision { writes, outcomes, messages }
    }
}
