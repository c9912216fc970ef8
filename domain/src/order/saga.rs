//! A saga: an order, what is known of it, and when it is next looked at.

use super::derived_status::{order_status, saga_status, saga_step};
use super::facts::{Fact, Facts};
use super::status::{OrderStatus, SagaStatus};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{OrderDetails, Origin};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// When what is awaited was asked for last, and how often. Choreographed: when anything was heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// When.
    pub at: Timestamp,
    /// How often it was asked for again.
    pub again: u32,
}

/// An order and its saga: one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saga {
    /// Whose it is, and how it goes.
    pub origin: Origin,
    /// Counted on with each change: what a change is decided on must still be there when it is written.
    pub version: u64,
    /// The contents of the order.
    pub details: Arc<OrderDetails>,
    /// The facts so far.
    pub facts: Facts,
    /// When what is awaited was asked for.
    pub sending: Sending,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the sweeper looks at it, which may be a little too early. None: it rests.
    pub due_at: Option<Timestamp>,
    /// How many history rows there are.
    pub history_len: u32,
}

impl Saga {
    /// A saga of which only the order is known.
    pub fn placed(origin: Origin, details: Arc<OrderDetails>, at: Timestamp) -> Self {
        Self {
            origin,
            version: 0,
            details,
            facts: Facts::default(),
            sending: Sending { at, again: 0 },
            created_at: at,
            updated_at: at,
            due_at: None,
            history_len: 0,
        }
    }

    /// The order.
    pub fn order_id(&self) -> OrderId {
        self.origin.order_id
    }

    /// The status of the order.
    pub fn status(&self) -> OrderStatus {
        order_status(&self.facts, self.origin.plan)
    }

    /// The status of the saga.
    pub fn saga_status(&self) -> SagaStatus {
        saga_status(&self.facts, self.origin.plan)
    }

    /// The step that the saga waits for, by its name in the API.
    pub fn step(&self) -> &'static str {
        saga_step(&self.facts, self.origin.plan).as_str()
    }

    /// True when it waits for nothing and nobody.
    pub fn is_at_rest(&self) -> bool {
        self.due_at.is_none()
    }
}

/// The sagas of a status, among those that are not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SagaCount {
    /// The status.
    pub status: SagaStatus,
    /// How many.
    pub sagas: u64,
    /// How many of them should have been looked at by now.
    pub overdue: u64,
    /// The oldest.
    pub oldest: OrderId,
}

/// A row of an order's history: what it came to be called, when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The order.
    pub order_id: OrderId,
    /// 0, 1, 2, … without gaps.
    pub sequence: u32,
    /// When.
    pub at: Timestamp,
    /// The cause: a message's name, `customer`, `operator`, `deadline`.
    pub cause: String,
    /// The order's status from then on.
    pub status: OrderStatus,
    /// The saga's status from then on.
    pub saga_status: SagaStatus,
    /// The saga's step after it.
    pub step: String,
    /// The new facts, in order: applying all rows' facts gives the saga again.
    pub facts: Vec<Fact>,
}
