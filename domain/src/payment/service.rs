//! The payment service, as its journal and its store see it: rows that are decided on in memory and
//! checked by their versions when they are written.

use super::state::{End, Payment, State};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ServiceName};
use crate::messages::Message;
use crate::planted::{Bug, planted};
use crate::service::{BatchDecision, Outcome, Service, Versions};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct PaymentService;

/// A change of a payment.
#[derive(Clone, Debug)]
pub struct PaymentChange {
    /// Whose payment.
    pub order_id: OrderId,
    /// The version that it was decided on; 0: there was no row.
    pub expected: u64,
    /// The payment as it is now. None: as it was.
    pub payment: Option<Arc<Payment>>,
    /// What is told.
    pub messages: Vec<Arc<Message>>,
}

/// A payment's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Whose payment; the key.
    pub order_id: OrderId,
    /// Counts the row's changes, from 1.
    pub version: u64,
    /// The payment.
    pub payment: Arc<Payment>,
}

impl PaymentRow {
    /// When somebody must see to it. None: it is at rest.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.payment.due_at
    }
}

/// A row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentWrite {
    /// The version that the row must still have; 0: there must be none.
    pub expected: u64,
    /// The row.
    pub row: PaymentRow,
}

impl Service for PaymentService {
    const NAME: ServiceName = ServiceName::Payment;
    type Change = PaymentChange;
    /// In their order, each once.
    type Keys = Vec<OrderId>;
    /// The versions of the rows that there are.
    type Rows = HashMap<OrderId, u64>;
    /// In the order of their keys.
    type Writes = Vec<PaymentWrite>;
    type Answer = ();

    fn keys(changes: &[PaymentChange]) -> Vec<OrderId> {
        let keys: BTreeSet<_> = changes.iter().map(|change| change.order_id).collect();
        keys.into_iter().collect()
    }

    fn decide_batch(
        &self,
        rows: HashMap<OrderId, u64>,
        changes: &[PaymentChange],
        _at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let mut versions = Versions::new(rows);
        let mut writes = BTreeMap::<OrderId, PaymentWrite>::new();
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut messages = Vec::new();
        for change in changes {
            let PaymentChange { order_id, expected, payment, messages: told } = change;
            let version = expected + u64::from(payment.is_some());
            if !versions.advance(order_id, *expected, version) {
                outcomes.push(Outcome::Refused);
                continue;
            }
            outcomes.push(Outcome::Done(()));
            messages.extend(told.iter().cloned());
            if let Some(payment) = payment {
                if planted(Bug::NoPaymentTombstone)
                    && payment.state == (State::Ended { end: End::Tombstoned })
                {
                    continue;
                }
                let row = PaymentRow { order_id: *order_id, version, payment: payment.clone() };
                writes
                    .entry(*order_id)
                    .and_modify(|write| write.row = row.clone())
                    .or_insert(PaymentWrite { expected: *expected, row });
            }
        }
        BatchDecision { writes: writes.into_values().collect(), outcomes, messages }
    }
}
