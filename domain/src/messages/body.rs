//! The body of one publish, and how it is written and read where it leaves the process.
//!
//! ```text
//! a message by itself   {"event_id": …, "event_type": …, "order_id": …, "data": …}
//! a bundle              {"bundle_id": …, "messages": [{"event_id": …}, {"event_id": …}, …]}
//! ```
//!
//! A bundle holds the messages of one outbox row that go the same way: one publish, one delivery, one ack.
//! Whoever consumes a queue reads both, whatever it is that comes.

use super::envelope::Message;
use super::routing_key::routing_key;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

/// The body of one publish.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A message by itself.
    One(Arc<Message>),
    /// Several messages that go the same way.
    Bundle(Arc<Bundle>),
}

/// Several messages in one: those of an outbox row that go the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The outbox row it was made from; stable when the row is published again.
    pub id: Uuid,
    /// The messages, in the order in which they were decided.
    pub messages: Vec<Arc<Message>>,
    /// Entries that could not be read. None in a bundle of our own.
    pub unreadable: Vec<Unreadable>,
}

impl Bundle {
    /// Messages in a bundle at the most, and so in an outbox row, which is forgotten when all are confirmed: a
    /// slow one among them should not keep many. What a consumer has in hand is bounded by it.
    pub const MESSAGES_MAX: usize = 64;
}

/// A message that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// As it was received; what is no UTF-8 is replaced.
    pub body: String,
    /// Why it cannot be read.
    pub error: String,
}

/// A bundle as it is written.
#[derive(Deserialize)]
struct Written<'a> {
    bundle_id: Option<Uuid>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
}

impl Body {
    /// These messages in one publish; None when there are none. One alone needs no bundle.
    pub fn of(id: Uuid, mut messages: Vec<Arc<Message>>) -> Option<Self> {
        match messages.len() {
            0 | 1 => messages.pop().map(Self::One),
            _ => {
                let unreadable = Vec::new();
                Some(Self::Bundle(Arc::new(Bundle { id, messages, unreadable })))
            }
        }
    }

    /// Every message in it that could be read.
    pub fn messages(&self) -> &[Arc<Message>] {
        match self {
            Self::One(message) => std::slice::from_ref(message),
            Self::Bundle(bundle) => &bundle.messages,
        }
    }

    /// Every entry of it that could not.
    pub fn unreadable(&self) -> &[Unreadable] {
        match self {
            Self::One(_) => &[],
            Self::Bundle(bundle) => &bundle.unreadable,
        }
    }

    /// Its routing key: all messages of a bundle have the same one.
    pub fn routing_key(&self) -> &str {
        self.messages().first().map_or("", |message| routing_key(message))
    }

    /// Its identifier: the event's, or the bundle's.
    pub fn id(&self) -> Uuid {
        match self {
            Self::One(message) => message.event_id,
            Self::Bundle(bundle) => bundle.id,
        }
    }

    /// The body as JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::One(message) => message.json().to_owned(),
            Self::Bundle(bundle) => {
                let id = format!("\"bundle_id\":\"{}\",", bundle.id);
                Message::list_json(&id, &bundle.messages)
            }
        }
    }

    /// In debug builds of tests: asserts that the body is as its schema says, which is what openapi/asyncapi.json
    /// promises. Every broker calls it with what is published.
    #[inline]
    pub fn debug_assert_described(&self) {
        #[cfg(all(feature = "testing", debug_assertions))]
        crate::testing::described::assert_described(self);
    }

    /// Reads what came to a queue. Of a bundle, each entry is read by itself: the good ones are not lost with
    /// the bad.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let unreadable = |error: &dyn std::fmt::Display| Unreadable {
            body: String::from_utf8_lossy(bytes).into_owned(),
            error: error.to_string(),
        };
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
        let Ok(Written { bundle_id, messages: Some(entries) }) = serde_json::from_str(text) else {
            return Message::from_json(text).map(Self::One).map_err(|error| unreadable(&error));
        };
        let id = bundle_id.ok_or_else(|| unreadable(&"the bundle has no `bundle_id`"))?;
        if entries.len() > Bundle::MESSAGES_MAX {
            let (count, most) = (entries.len(), Bundle::MESSAGES_MAX);
            return Err(unreadable(&format_args!(
                "the bundle has {count} messages; the maximum is {most}"
            )));
        }
        let (mut messages, mut bad) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            match Message::from_json(entry.get()) {
                Ok(message) => messages.push(message),
                Err(error) => {
                    bad.push(Unreadable { body: entry.get().to_owned(), error: error.to_string() });
                }
            }
        }
        Ok(Self::Bundle(Arc::new(Bundle { id, messages, unreadable: bad })))
    }
}

#[cfg(test)]
mod tests;
