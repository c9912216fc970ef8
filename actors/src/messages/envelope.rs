//! The envelope around every payload.

use super::details::OrderDetails;
use super::payload::{Kind, Payload};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// How the steps of an order find each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// The saga sends commands and takes replies.
    #[default]
    Orchestrated,
    /// Nobody sends commands: each service reacts to the others' events, and the saga follows.
    Choreographed,
}

impl Flow {
    /// The flow as settings and answers name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orchestrated => "orchestrated",
            Self::Choreographed => "choreographed",
        }
    }
}

/// In which order the saga takes its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// Reserve, pay, ship.
    #[default]
    ReserveFirst,
    /// Pay, reserve, ship.
    PaymentFirst,
}

/// What a message inherits from the order it speaks of, and what any answer to it carries on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The order.
    pub order_id: OrderId,
    /// The order's flow.
    pub flow: Flow,
    /// The order's plan.
    pub plan: Plan,
    /// The `X-Request-ID` of the request that placed the order, for the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Arc<str>>,
    /// The trace that the order belongs to, as the W3C's header of that name says it
    /// (<https://www.w3.org/TR/trace-context/>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Arc<str>>,
    /// The order itself, where the services find each other (choreographed): what the next of them needs
    /// travels with the event that it reacts to, so that nobody asks back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Arc<OrderDetails>>,
}

impl Origin {
    /// An order of which no more is known.
    pub const fn new(order_id: OrderId, flow: Flow, plan: Plan) -> Self {
        Self { order_id, flow, plan, request_id: None, traceparent: None, order: None }
    }

    /// The same without the order's details: for events whose listeners need none.
    pub fn slim(&self) -> Self {
        Self { order: None, ..self.clone() }
    }
}

/// A message: the envelope and its payload. In JSON the payload stands as `event_type` and `data`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    /// The same for every copy of the same message: see [`event_id`].
    pub event_id: Uuid,
    /// 0, and counted on where the same thing may happen twice to one order.
    #[serde(default)]
    pub number: u32,
    /// When it was decided.
    pub occurred_at: Timestamp,
    /// The order it speaks of.
    #[serde(flatten)]
    pub origin: Origin,
    /// What it says.
    #[serde(flatten)]
    pub payload: Payload,
    #[serde(skip)]
    json: OnceLock<Box<str>>,
}

impl Message {
    /// A message about an order, under the id that this outcome always has.
    pub fn new(
        origin: &Origin,
        payload: Payload,
        number: u32,
        occurred_at: Timestamp,
    ) -> Arc<Self> {
        Arc::new(Self {
            event_id: event_id(origin.order_id, payload.kind(), number),
            number,
            occurred_at,
            origin: origin.clone(),
            payload,
            json: OnceLock::new(),
        })
    }

    /// What kind of message it is.
    pub fn kind(&self) -> Kind {
        self.payload.kind()
    }

    /// The order it speaks of.
    pub fn order_id(&self) -> OrderId {
        self.origin.order_id
    }

    /// The message as JSON, written once however many places need it.
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| {
            serde_json::to_string(self)
                .expect("a message holds only strings, numbers and lists")
                .into_boxed_str()
        })
    }

    /// Reads a message back from its JSON.
    pub fn from_json(text: &str) -> Result<Arc<Self>, serde_json::Error> {
        serde_json::from_str(text).map(Arc::new)
    }
}

/// The identifier of an outcome: a UUIDv5 of the order, the message's name and a number where it may
/// happen twice. Said again, by a repeated command or a redelivery, it is the same message.
pub fn event_id(order: OrderId, kind: Kind, number: u32) -> Uuid {
    let mut name = String::with_capacity(40);
    name.push_str(kind.as_str());
    if number > 0 {
        name.push('#');
        name.push_str(&number.to_string());
    }
    Uuid::new_v5(&order.0, name.as_bytes())
}
