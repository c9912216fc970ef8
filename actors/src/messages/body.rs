//! What one publish carries, and how it is written and read where it leaves the process.

use super::envelope::Message;
use super::topology::Queue;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

/// What one publish carries.
#[derive(Clone, Debug)]
pub enum Body {
    /// A message by itself.
    One(Arc<Message>),
    /// The events of an outbox row together.
    Feed(Arc<Feed>),
}

/// Several events in one message: what audit and notification are fed with, one per outbox row.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The outbox row it was made from; stable when the row is published again.
    pub id: Uuid,
    /// The events.
    pub events: Vec<Arc<Message>>,
    /// Entries that could not be read. None in a feed of our own.
    pub unreadable: Vec<Unreadable>,
}

/// A message that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// As it was received; what is no UTF-8 is replaced.
    pub body: String,
    /// What is wrong with it.
    pub error: String,
}

#[derive(Deserialize)]
struct StoredFeed<'a> {
    feed_id: Uuid,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

impl Body {
    /// Every message in it that could be read.
    pub fn messages(&self) -> &[Arc<Message>] {
        match self {
            Self::One(message) => std::slice::from_ref(message),
            Self::Feed(feed) => &feed.events,
        }
    }

    /// Its identifier: the event's, or the feed's.
    pub fn id(&self) -> Uuid {
        match self {
            Self::One(message) => message.event_id,
            Self::Feed(feed) => feed.id,
        }
    }

    /// The body as JSON.
    pub fn to_json(&self) -> String {
        match self {
            Self::One(message) => message.json().to_owned(),
            Self::Feed(feed) => {
                let events: Vec<&str> = feed.events.iter().map(|event| event.json()).collect();
                format!("{{\"feed_id\":\"{}\",\"events\":[{}]}}", feed.id, events.join(","))
            }
        }
    }

    /// Reads what came to a queue. Of a feed, each entry is read by itself: the good ones are not lost with
    /// the bad.
    pub fn read(queue: Queue, bytes: &[u8]) -> Result<Self, Unreadable> {
        let unreadable = |error: &dyn std::fmt::Display| Unreadable {
            body: String::from_utf8_lossy(bytes).into_owned(),
            error: error.to_string(),
        };
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
        if !queue.is_fed() {
            return Message::from_json(text).map(Self::One).map_err(|error| unreadable(&error));
        }
        let feed: StoredFeed<'_> =
            serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let (mut events, mut bad) = (Vec::with_capacity(feed.events.len()), Vec::new());
        for entry in feed.events {
            match Message::from_json(entry.get()) {
                Ok(message) => events.push(message),
                Err(error) => {
                    bad.push(Unreadable { body: entry.get().to_owned(), error: error.to_string() });
                }
            }
        }
        Ok(Self::Feed(Arc::new(Feed { id: feed.feed_id, events, unreadable: bad })))
    }
}
