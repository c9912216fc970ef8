//! Sagas, their history and idempotency keys.

use crate::columns::{StoredTime, count, from_json};
use crate::error::{Corrupt, corrupt};
use crate::record::record;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, Origin, Plan};
use ordermill_domain::order::facts::Facts;
use ordermill_domain::order::saga::Sending;
use ordermill_domain::order::{Claim, HistoryRow, OrderStatus, Saga, SagaCount, SagaStatus};
use ordermill_domain::reconciliation::{OrderRecord, Record};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// The column `origin` of `orders`, as JSON.
#[derive(Serialize, Deserialize)]
pub struct StoredOrigin {
    flow: Flow,
    plan: Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<Arc<str>>,
}

impl From<&Origin> for StoredOrigin {
    fn from(origin: &Origin) -> Self {
        let Origin { flow, plan, request_id, traceparent, .. } = origin.clone();
        Self { flow, plan, request_id, traceparent }
    }
}

/// The column `state` of `sagas`, as JSON.
#[derive(Serialize, Deserialize)]
pub struct StoredState<'a> {
    facts: Cow<'a, Facts>,
    /// When commands were sent last, in microseconds since 1970 UTC.
    sent_at: i64,
    /// How often they were sent again.
    again: u32,
    /// How many history rows there are.
    history: u32,
}

impl<'a> From<&'a Saga> for StoredState<'a> {
    fn from(saga: &'a Saga) -> Self {
        Self {
            facts: Cow::Borrowed(&saga.facts),
            sent_at: saga.sending.at.timestamp_micros(),
            again: saga.sending.again,
            history: saga.history_len,
        }
    }
}

/// A row of `orders` with its row of `sagas`, as it is read.
pub struct StoredOrder<T> {
    pub order_id: Uuid,
    pub version: i64,
    pub created_at: T,
    pub updated_at: T,
    pub due_at: Option<T>,
    pub origin: String,
    pub details: String,
    pub state: String,
}

impl<T: StoredTime> StoredOrder<T> {
    /// The order's saga.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn saga(self) -> Result<Saga, Corrupt> {
        let origin: StoredOrigin = from_json("an order's origin", &self.origin)?;
        let state: StoredState<'_> = from_json("an order's state", &self.state)?;
        let details = from_json("an order's details", &self.details)?;
        let StoredOrigin { flow, plan, request_id, traceparent } = origin;
        let plain = Origin::new(OrderId(self.order_id), flow, plan);
        Ok(Saga {
            origin: Origin { request_id, traceparent, ..plain },
            version: count(self.version)?,
            details: Arc::new(details),
            facts: state.facts.into_owned(),
            sending: Sending { at: state.sent_at.timestamp()?, again: state.again },
            created_at: self.created_at.timestamp()?,
            updated_at: self.updated_at.timestamp()?,
            due_at: self.due_at.map(T::timestamp).transpose()?,
            history_len: state.history,
        })
    }

    /// What the order service says of the order.
    pub fn record(self) -> Record<OrderRecord> {
        record(self.order_id, self.saga().map(|saga| (&saga).into()))
    }
}

/// A row of `order_history`, as it is read.
pub struct StoredHistory<T> {
    pub order_id: Uuid,
    pub sequence: i64,
    pub at: T,
    pub cause: String,
    pub status: String,
    pub saga_status: String,
    pub step: String,
    pub facts: String,
}

impl<T: StoredTime> StoredHistory<T> {
    /// The row.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn row(self) -> Result<HistoryRow, Corrupt> {
        Ok(HistoryRow {
            order_id: OrderId(self.order_id),
            sequence: count(self.sequence)?,
            at: self.at.timestamp()?,
            cause: self.cause,
            status: OrderStatus::parse(&self.status)
                .ok_or(&self.status)
                .map_err(corrupt("an order's status"))?,
            saga_status: SagaStatus::parse(&self.saga_status)
                .ok_or(&self.saga_status)
                .map_err(corrupt("a saga's status"))?,
            step: self.step,
            facts: from_json("an order's history", &self.facts)?,
        })
    }
}

/// The sagas of a status, as they are counted.
pub struct StoredSagaCount {
    pub saga_status: String,
    pub sagas: i64,
    pub overdue: i64,
    pub oldest: Uuid,
}

impl StoredSagaCount {
    /// The count that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn count(self) -> Result<SagaCount, Corrupt> {
        Ok(SagaCount {
            status: SagaStatus::parse(&self.saga_status)
                .ok_or(&self.saga_status)
                .map_err(corrupt("a saga's status"))?,
            sagas: count(self.sagas)?,
            overdue: count(self.overdue)?,
            oldest: OrderId(self.oldest),
        })
    }
}

/// A row of `idempotency_keys`, as it is read.
pub struct StoredClaim {
    pub key: String,
    pub fingerprint: Vec<u8>,
    pub order_id: Uuid,
}

impl From<StoredClaim> for Claim {
    fn from(StoredClaim { key, fingerprint, order_id }: StoredClaim) -> Self {
        Self { key, fingerprint, order_id: OrderId(order_id) }
    }
}
