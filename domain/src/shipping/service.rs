//! The shipping service, as its journal and its store see it.

use super::ShippingPolicy;
use super::change::{Change, ShippingAnswer};
use super::decision::ShippingDecision;
use super::shipment::Shipment;
use crate::clock::Timestamp;
use crate::ids::{OrderId, ServiceName};
use crate::service::{BatchDecision, Outcome, Service};
use std::collections::{BTreeMap, BTreeSet};

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shipping {
    /// The carrier's terms.
    pub policy: ShippingPolicy,
}

/// The rows that a batch writes: each at most once, in the order of their keys.
///
/// The store inserts plainly: a row that is there already is a batch to be tried again, never one
/// to be passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Orders that had no shipment.
    pub inserts: Vec<Shipment>,
    /// Shipments that have moved on.
    pub updates: Vec<Shipment>,
}

impl Service for Shipping {
    const NAME: ServiceName = ServiceName::Shipping;
    type Change = Change;
    type Keys = BTreeSet<OrderId>;
    /// Those that there are.
    type Rows = BTreeMap<OrderId, Shipment>;
    type Writes = Writes;
    type Answer = ShippingAnswer;

    fn keys(changes: &[Change]) -> BTreeSet<OrderId> {
        changes.iter().map(|change| change.origin.order_id).collect()
    }

    fn decide_batch(
        &self,
        mut shipments: BTreeMap<OrderId, Shipment>,
        changes: &[Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let stored: BTreeSet<OrderId> = shipments.keys().copied().collect();
        let mut moved = BTreeSet::new();
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut messages = Vec::with_capacity(changes.len());
        for Change { origin, command } in changes {
            let order_id = origin.order_id;
            let current = shipments.get(&order_id);
            let answer = match command.decide(&self.policy, order_id, current, at) {
                ShippingDecision::Becomes(state) => {
                    shipments.insert(order_id, Shipment { order_id, state, decided_at: at });
                    moved.insert(order_id);
                    ShippingAnswer::OutcomePublished
                }
                ShippingDecision::Stands => ShippingAnswer::OutcomePublished,
                ShippingDecision::Early(why) => ShippingAnswer::Early(why),
            };
            if answer == ShippingAnswer::OutcomePublished {
                messages.extend(shipments.get(&order_id).map(|shipment| shipment.outcome(origin)));
            }
            outcomes.push(Outcome::Done(answer));
        }
        let written = shipments.into_values().filter(|shipment| moved.contains(&shipment.order_id));
        let (updates, inserts) = written.partition(|shipment| stored.contains(&shipment.order_id));
        BatchDecision { writes: Writes { inserts, updates }, outcomes, messages }
    }
}
