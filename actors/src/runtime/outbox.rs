//! The outbox: what was decided to be said, kept beside the decision until everybody has heard it.
//!
//! One row holds the messages of one journal batch. A row that cannot get on is parked: rewritten
//! to hold only what is unconfirmed, and for whom.

use crate::messages::{BINDINGS, Body, Exchange, Feed, Message, Queue, Route, route};
use crate::ports::Failures;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// One publish.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Where to.
    pub exchange: Exchange,
    /// What.
    pub body: Body,
    /// Only to these queues: the others have it already. None: to all that are bound.
    pub only: Option<Vec<Queue>>,
    /// How often its consumer has failed on it.
    pub failures: Failures,
}

impl Parcel {
    /// A parcel for all that are bound.
    pub const fn new(exchange: Exchange, body: Body) -> Self {
        Self { exchange, body, only: None, failures: Failures { count: 0, since: None } }
    }
}

/// A row's content.
#[derive(Clone, Debug)]
pub enum Content {
    /// As it was committed.
    Fresh(Vec<Arc<Message>>),
    /// What is left of it.
    Parked(Vec<Parcel>),
}

/// A row of the outbox.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its key: grows with time.
    pub id: Uuid,
    /// What is to be said.
    pub content: Content,
    /// How often it was parked.
    pub tries: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Messages(Vec<Arc<Message>>),
    Parcels(Vec<StoredParcel>),
}

#[derive(Serialize, Deserialize)]
struct StoredParcel {
    exchange: Exchange,
    /// The feed's id, when it is one.
    feed: Option<Uuid>,
    messages: Vec<Arc<Message>>,
    only: Option<Vec<Queue>>,
    #[serde(flatten)]
    failures: Failures,
}

impl OutboxRow {
    /// Messages in one row at the most: a row is forgotten when all are confirmed, so that a slow
    /// one among them should not keep many.
    pub const MESSAGES_MAX: usize = 64;

    /// A row that was just committed.
    pub fn fresh(id: Uuid, messages: Vec<Arc<Message>>) -> Self {
        Self { id, content: Content::Fresh(messages), tries: 0 }
    }

    /// A row that brings a message to one queue again, as if for the first time.
    pub fn redriven(id: Uuid, queue: Queue, body: Body) -> Self {
        // Which exchange it once came from is of no matter: it goes to its queue directly.
        let exchange = BINDINGS
            .iter()
            .copied()
            .flatten()
            .find(|binding| binding.queue == queue)
            .map_or(Exchange::SagaEvents, |binding| binding.exchange);
        let parcel = Parcel { only: Some(vec![queue]), ..Parcel::new(exchange, body) };
        // Parked once, by whoever redrives it: the relay finds it among the parked rows.
        Self { id, content: Content::Parked(vec![parcel]), tries: 1 }
    }

    /// What is to be published for it.
    pub fn parcels(&self) -> Vec<Parcel> {
        match &self.content {
            Content::Parked(parcels) => parcels.clone(),
            Content::Fresh(messages) => {
                let all = Feed { id: self.id, events: messages.clone(), unreadable: Vec::new() };
                let feeds = [Exchange::AuditFanout, Exchange::Notification];
                let fed = feeds.into_iter().filter_map(|exchange| {
                    Some((exchange, Body::Feed(Arc::new(all.part_for(exchange)?))))
                });
                let routed = messages.iter().filter_map(|message| match route(message) {
                    Route::To(exchange) => Some((exchange, Body::One(message.clone()))),
                    Route::FeedOnly => None,
                });
                routed.chain(fed).map(|(exchange, body)| Parcel::new(exchange, body)).collect()
            }
        }
    }

    /// How many publishes it takes: the length of [`Self::parcels`], without making them.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Parked(parcels) => parcels.len(),
            Content::Fresh(messages) => {
                let routed = messages.iter().filter(|m| matches!(route(m), Route::To(_))).count();
                let audited = messages.iter().any(|m| m.kind().is_event());
                let told = messages.iter().any(|m| m.kind().concerns_customer());
                routed + usize::from(audited) + usize::from(told)
            }
        }
    }

    /// The row's content as it is stored. Each message is written once, however often it is asked for.
    pub fn to_json(&self) -> String {
        match &self.content {
            Content::Fresh(messages) => {
                let size: usize = messages.iter().map(|message| message.json().len() + 1).sum();
                let mut text = String::with_capacity(size + 16);
                text.push_str("{\"messages\":[");
                for (index, message) in messages.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    text.push_str(message.json());
                }
                text.push_str("]}");
                text
            }
            Content::Parked(parcels) => {
                let stored = Stored::Parcels(parcels.iter().map(StoredParcel::from).collect());
                serde_json::to_string(&stored).expect("parcels hold only strings and numbers")
            }
        }
    }

    /// Reads a row back.
    pub fn from_json(id: Uuid, tries: u32, text: &str) -> Result<Self, serde_json::Error> {
        let content = match serde_json::from_str(text)? {
            Stored::Messages(messages) => Content::Fresh(messages),
            Stored::Parcels(parcels) => {
                Content::Parked(parcels.into_iter().filter_map(StoredParcel::unpack).collect())
            }
        };
        Ok(Self { id, content, tries })
    }
}

impl From<&Parcel> for StoredParcel {
    fn from(parcel: &Parcel) -> Self {
        let (feed, messages) = match &parcel.body {
            Body::One(message) => (None, vec![message.clone()]),
            Body::Feed(feed) => (Some(feed.id), feed.events.clone()),
        };
        let Parcel { exchange, ref only, failures, .. } = *parcel;
        Self { exchange, feed, messages, only: only.clone(), failures }
    }
}

impl StoredParcel {
    fn unpack(self) -> Option<Parcel> {
        let body = match self.feed {
            Some(id) => {
                let (events, unreadable) = (self.messages, Vec::new());
                Body::Feed(Arc::new(Feed { id, events, unreadable }))
            }
            None => Body::One(self.messages.into_iter().next()?),
        };
        let Self { exchange, only, failures, .. } = self;
        Some(Parcel { exchange, body, only, failures })
    }
}
