//! The envelope around every payload.

use super::details::OrderDetails;
use super::payload::{Kind, Payload};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::sync::{Arc, OnceLock};
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

/// How the steps of an order find each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Flow {
    /// The saga sends commands and takes replies.
    #[default]
    Orchestrated,
    /// Nobody sends commands: each service reacts to the others' events, and the saga follows.
    Choreographed,
}

impl Flow {
    /// Every flow.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The flow as settings and answers name it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// In which order the saga takes its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Plan {
    /// Reserve, pay, ship.
    #[default]
    ReserveFirst,
    /// Pay, reserve, ship.
    PaymentFirst,
}

impl Plan {
    /// Every plan.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The plan as settings and answers name it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The properties that a message inherits from its order, and that any answer to it carries on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Serialize)]
pub struct Message {
    /// The same for every copy of the same message: see [`event_id`].
    pub event_id: Uuid,
    /// 0, and counted on where the same thing may happen twice to one order.
    pub number: u32,
    /// When it was decided.
    pub occurred_at: Timestamp,
    /// The order it speaks of.
    #[serde(flatten)]
    pub origin: Origin,
    /// Its content.
    #[serde(flatten)]
    pub payload: Payload,
    #[serde(skip)]
    json: OnceLock<Box<str>>,
}

/// A message as it is read: what is flattened in it, field by field, and its data once its kind is known. Derived,
/// each field would be kept in a tree of its own first, at three times the cost.
#[derive(Deserialize)]
struct Written<'a> {
    event_id: Uuid,
    #[serde(default)]
    number: u32,
    occurred_at: Timestamp,
    order_id: OrderId,
    flow: Flow,
    plan: Plan,
    #[serde(default)]
    request_id: Option<Arc<str>>,
    #[serde(default)]
    traceparent: Option<Arc<str>>,
    #[serde(default)]
    order: Option<Arc<OrderDetails>>,
    event_type: Kind,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let Written { order_id, flow, plan, request_id, traceparent, order, .. } = written;
        let payload = Payload::read(written.event_type, written.data).map_err(|error| {
            D::Error::custom(format_args!("data of `{}`: {error}", written.event_type))
        })?;
        Ok(Self {
            event_id: written.event_id,
            number: written.number,
            occurred_at: written.occurred_at,
            origin: Origin { order_id, flow, plan, request_id, traceparent, order },
            payload,
            json: OnceLock::new(),
        })
    }
}

/// Bytes that most messages fit into, written as JSON: those of a small order.
const JSON_BYTES: usize = 640;

/// Alike in what they say: whether one was written already does not count.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        let Self { event_id, number, occurred_at, origin, payload, json: _ } = self;
        (event_id, number, occurred_at) == (&other.event_id, &other.number, &other.occurred_at)
            && (origin, payload) == (&other.origin, &other.payload)
    }
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

    /// The same message with another content of its kind.
    pub(super) fn with_payload(&self, payload: Payload) -> Arc<Self> {
        let Self { event_id, number, occurred_at, origin, payload: _, json: _ } = self;
        let (event_id, number, occurred_at) = (*event_id, *number, *occurred_at);
        let (origin, json) = (origin.clone(), OnceLock::new());
        Arc::new(Self { event_id, number, occurred_at, origin, payload, json })
    }

    /// The kind of the message.
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
            let mut json = Vec::with_capacity(JSON_BYTES);
            serde_json::to_writer(&mut json, self)
                .expect("a message contains only strings, numbers and lists");
            String::from_utf8(json).expect("JSON is written as UTF-8").into_boxed_str()
        })
    }

    /// These messages as an object of JSON whose last entry they are: `{<before>"messages":[…]}`.
    pub fn list_json(before: &str, messages: &[Arc<Self>]) -> String {
        let size: usize = messages.iter().map(|message| message.json().len() + 1).sum();
        let mut text = String::with_capacity(before.len() + size + 16);
        text.push('{');
        text.push_str(before);
        text.push_str("\"messages\":[");
        for (index, message) in messages.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(message.json());
        }
        text.push_str("]}");
        text
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(event_type: &str, data: Value) -> Value {
        json!({
            "event_id": Uuid::nil(),
            "occurred_at": "2026-01-01T00:00:00Z",
            "order_id": Uuid::nil(),
            "flow": "choreographed",
            "plan": "payment-first",
            "request_id": "r-1",
            "event_type": event_type,
            "data": data,
            "of_a_later_version": {"is": ["passed", "over"]},
        })
    }

    fn read(message: &Value) -> Result<Arc<Message>, String> {
        Message::from_json(&message.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_written_value_is_read_back() {
        let line = json!([{"product_id": "MUG", "quantity": 2}]);
        for (kind, data) in [("inventory.reserved", line), ("inventory.released", Value::Null)] {
            let message = read(&written(kind, data)).unwrap();
            let again = Message::from_json(message.json()).unwrap();
            assert_eq!(again.kind().as_str(), kind);
            assert_eq!(again.origin.request_id.as_deref(), Some("r-1"));
            let said = |message: &Message| {
                let Message { event_id, number, occurred_at, origin, payload, .. } = message;
                (*event_id, *number, *occurred_at, origin.clone(), payload.clone())
            };
            assert_eq!(said(&again), said(&message));
        }
    }

    #[test]
    fn an_unreadable_message_explains_the_error() {
        let wrong = |message: &Value, why: &str| {
            let error = read(message).unwrap_err();
            assert!(error.contains(why), "`{error}` should name `{why}`");
        };
        wrong(&written("inventory.stolen", Value::Null), "inventory.stolen");
        wrong(&written("inventory.reserved", json!([{"quantity": 2}])), "product_id");
        wrong(&written("inventory.reserved", Value::Null), "data of `inventory.reserved`");
        let mut headless = written("inventory.released", Value::Null);
        headless.as_object_mut().unwrap().remove("order_id");
        wrong(&headless, "order_id");
    }
}
