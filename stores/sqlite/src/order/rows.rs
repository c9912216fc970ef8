//! How sagas and their history stand in rows.

use crate::columns;
use crate::error::Error;
use chrono::{DateTime, Utc};
use ordermill_actors::order::UnreadableOrder;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, Origin, Plan};
use ordermill_domain::order::facts::Facts;
use ordermill_domain::order::saga::Sending;
use ordermill_domain::order::{HistoryRow, OrderStatus, Saga, SagaStatus};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// The column `origin`.
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

/// The column `state`.
#[derive(Serialize, Deserialize)]
pub struct StoredState<'a> {
    /// What is known.
    pub facts: std::borrow::Cow<'a, Facts>,
    /// When commands were sent last, in microseconds.
    pub sent_at: i64,
    /// How often they were sent again.
    pub again: u32,
    /// How many history rows there are.
    pub history: u32,
}

impl<'a> From<&'a Saga> for StoredState<'a> {
    fn from(saga: &'a Saga) -> Self {
        Self {
            facts: std::borrow::Cow::Borrowed(&saga.facts),
            sent_at: columns::micros(saga.sending.at),
            again: saga.sending.again,
            history: saga.history_len,
        }
    }
}

/// A row of `orders` with its row of `sagas`, as it is read.
pub struct OrderRow {
    pub order_id: Uuid,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub due_at: Option<i64>,
    pub origin: String,
    pub details: String,
    pub state: String,
}

impl OrderRow {
    pub fn into_saga(self) -> Result<Saga, Error> {
        let origin: StoredOrigin =
            serde_json::from_str(&self.origin).map_err(Error::corrupt("an order's origin"))?;
        let state: StoredState<'_> =
            serde_json::from_str(&self.state).map_err(Error::corrupt("an order's state"))?;
        let details =
            serde_json::from_str(&self.details).map_err(Error::corrupt("an order's details"))?;
        let StoredOrigin { flow, plan, request_id, traceparent } = origin;
        let plain = Origin::new(OrderId(self.order_id), flow, plan);
        Ok(Saga {
            origin: Origin { request_id, traceparent, ..plain },
            version: columns::count(self.version)?,
            details: Arc::new(details),
            facts: state.facts.into_owned(),
            sending: Sending { at: columns::time(state.sent_at)?, again: state.again },
            created_at: columns::time(self.created_at)?,
            updated_at: columns::time(self.updated_at)?,
            due_at: self.due_at.map(columns::time).transpose()?,
            history_len: state.history,
        })
    }

    /// The same in a list, where one that cannot be read must not hide the others.
    pub fn listed(self) -> Result<Saga, UnreadableOrder> {
        let order_id = OrderId(self.order_id);
        self.into_saga().map_err(|error| UnreadableOrder { order_id, cause: error.to_string() })
    }
}

/// A row of `order_history`, as it is read.
pub struct StoredHistory {
    pub order_id: Uuid,
    pub sequence: i64,
    pub at: i64,
    pub cause: String,
    pub status: String,
    pub saga_status: String,
    pub step: String,
    pub facts: String,
}

impl StoredHistory {
    pub fn into_row(self) -> Result<HistoryRow, Error> {
        let at: DateTime<Utc> = columns::time(self.at)?;
        Ok(HistoryRow {
            order_id: OrderId(self.order_id),
            sequence: columns::count(self.sequence)?,
            at,
            cause: self.cause,
            status: OrderStatus::parse(&self.status)
                .ok_or(&self.status)
                .map_err(Error::corrupt("an order's status"))?,
            saga_status: SagaStatus::parse(&self.saga_status)
                .ok_or(&self.saga_status)
                .map_err(Error::corrupt("a saga's status"))?,
            step: self.step,
            facts: serde_json::from_str(&self.facts)
                .map_err(Error::corrupt("an order's history"))?,
        })
    }
}
