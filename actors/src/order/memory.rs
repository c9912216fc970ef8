//! The order service's tables in memory.

use super::reads::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::service::{Keys, Rows, Writes};
use ordermill_domain::order::{Claim, HistoryRow, Order, Saga, SagaCount, SagaStatus};
use std::collections::{BTreeMap, HashMap};

/// The tables.
#[derive(Default)]
pub struct OrderTables {
    sagas: BTreeMap<OrderId, Saga>,
    history: BTreeMap<(OrderId, u32), HistoryRow>,
    claims: HashMap<String, (Claim, Timestamp)>,
}

impl OrderTables {
    /// Every saga, by order.
    pub fn sagas(&self) -> impl Iterator<Item = &Saga> {
        self.sagas.values()
    }
}

impl MemoryTables<Order> for OrderTables {
    fn load(&self, keys: &Keys) -> Rows {
        let version = |order: &OrderId| Some((*order, self.sagas.get(order)?.version));
        let claim = |key: &String| Some((key.clone(), self.claims.get(key)?.0.clone()));
        Rows {
            versions: keys.orders.iter().filter_map(version).collect(),
            claims: keys.claims.iter().filter_map(claim).collect(),
        }
    }

    fn write(&mut self, writes: &Writes, _at: Timestamp) {
        for saga in writes.inserts.iter().chain(&writes.updates) {
            self.sagas.insert(saga.order_id(), Saga::clone(saga));
        }
        for row in &writes.history {
            let earlier = self.history.insert((row.order_id, row.sequence), row.clone());
            assert!(earlier.is_none(), "a history row is never written twice: {row:?}");
        }
        for (claim, at) in &writes.claims {
            self.claims.insert(claim.key.clone(), (claim.clone(), *at));
        }
    }
}

#[async_trait]
impl OrderReads for MemoryStore<OrderTables> {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        Ok(self.with(|tables| tables.sagas.get(&id).cloned()))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError> {
        let wanted = |saga: &&Saga| {
            filter.customer_id.as_ref().is_none_or(|id| *id == saga.details.customer_id)
                && filter.status.is_none_or(|status| status == saga.status())
                && filter.saga_status.is_none_or(|status| status == saga.saga_status())
                && filter.before.is_none_or(|before| saga.order_id() < before)
        };
        Ok(self.with(|tables| {
            let newest = tables.sagas.values().rev().filter(wanted);
            newest.take(limit as usize).cloned().map(Ok).collect()
        }))
    }

    async fn history(
        &self,
        since: &[(OrderId, u32)],
        limit: u32,
    ) -> Result<Vec<HistoryRow>, ReadError> {
        Ok(self.with(|tables| {
            let rows = since
                .iter()
                .flat_map(|(id, from)| tables.history.range((*id, *from)..=(*id, u32::MAX)));
            rows.take(limit as usize).map(|(_, row)| row.clone()).collect()
        }))
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<SagaCount>, ReadError> {
        Ok(self.with(|tables| {
            let mut counts = BTreeMap::new();
            for saga in tables.sagas.values() {
                let (status, oldest) = (saga.saga_status(), saga.order_id());
                if matches!(status, SagaStatus::Completed | SagaStatus::Compensated) {
                    continue;
                }
                let none = SagaCount { status, sagas: 0, overdue: 0, oldest };
                let count = counts.entry(status.as_str()).or_insert(none);
                count.sagas += 1;
                count.overdue += u64::from(saga.due_at.is_some_and(|due| due < now));
            }
            counts.into_values().collect()
        }))
    }
}

#[async_trait]
impl DueOrders for MemoryStore<OrderTables> {
    async fn claim(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        Ok(self.with_mut(|tables| {
            let due = |saga: &Saga| saga.due_at.is_some_and(|due| due <= now);
            let mut overdue: Vec<&mut Saga> =
                tables.sagas.values_mut().filter(|saga| due(saga)).collect();
            overdue.sort_by_key(|saga| saga.due_at);
            overdue.truncate(limit as usize);
            overdue.iter_mut().for_each(|saga| saga.due_at = Some(until));
            overdue.iter().map(|saga| saga.order_id()).collect()
        }))
    }

    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        Ok(self.with_mut(|tables| {
            let old = tables.claims.extract_if(|_, (_, made_at)| *made_at < before);
            old.take(limit as usize).count() as u64
        }))
    }
}
