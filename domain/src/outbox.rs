//! The outbox: what was decided to be said, kept beside the decision until everybody has heard it.
//!
//! One row holds the messages of one journal batch. Those that go the same way, to the same exchange under
//! the same routing key, are one publish: a bundle.
//!
//! ```text
//! row  reserve·1 reserve·2 refund·3 created·4 ──▶ saga.commands  inventory.reserve  [1, 2]
//!                                             ──▶ saga.commands  payment.refund     3
//!                                             ──▶ audit.fanout.exchange             4
//! ```
//!
//! A row that cannot get on is parked: rewritten to hold only what is unconfirmed, and for whom.

use crate::failures::Failures;
use crate::messages::{
    Body, Bundle, Exchange, FEEDS, Message, Queue, Route, bundles, feeds, route, routing_key,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// One publish.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundMessage {
    /// Where to.
    pub exchange: Exchange,
    /// What.
    pub body: Body,
    /// Only to these queues: the others have it already. None: to all that are bound.
    pub only: Option<Vec<Queue>>,
    /// How often its consumer has failed on it.
    pub failures: Failures,
}

impl OutboundMessage {
    /// a message for all that are bound.
    pub const fn new(exchange: Exchange, body: Body) -> Self {
        Self { exchange, body, only: None, failures: Failures { count: 0, since: None } }
    }
}

impl OutboundMessage {
    /// How many messages it carries.
    pub fn size(&self) -> usize {
        self.body.messages().len()
    }
}

/// How many publishes carry a message of a fresh row.
fn copies(message: &Message) -> usize {
    let routed = usize::from(matches!(route(message), Route::To(_)));
    routed + FEEDS.into_iter().filter(|exchange| feeds(*exchange, message)).count()
}

/// A fresh row's messages by the way that they go, each in its order.
fn ways(messages: &[Arc<Message>]) -> Vec<(Exchange, Vec<Arc<Message>>)> {
    let mut ways: Vec<(Exchange, Vec<Arc<Message>>)> = Vec::new();
    for message in messages {
        let Route::To(exchange) = route(message) else { continue };
        let key = routing_key(message);
        let same = |(to, with): &&mut (Exchange, Vec<Arc<Message>>)| {
            bundles(exchange) && *to == exchange && routing_key(&with[0]) == key
        };
        match ways.iter_mut().find(same) {
            Some((_, way)) => way.push(message.clone()),
            None => ways.push((exchange, vec![message.clone()])),
        }
    }
    for exchange in FEEDS {
        let fed = messages.iter().filter(|message| feeds(exchange, message));
        let copy = |message: &Arc<Message>| match exchange {
            Exchange::AuditFanout => message.without_page(),
            _ => message.clone(),
        };
        ways.push((exchange, fed.map(copy).collect()));
    }
    ways
}

/// A row's content.
#[derive(Clone, Debug)]
pub enum Content {
    /// As it was committed.
    Fresh(Vec<Arc<Message>>),
    /// The messages that are left of it.
    Parked(Vec<OutboundMessage>),
}

/// A row of the outbox.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its key: grows with time.
    pub id: Uuid,
    /// The messages to send.
    pub content: Content,
    /// How often it was parked.
    pub tries: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredContent {
    Messages(Vec<Arc<Message>>),
    Parked(Vec<StoredOutboundMessage>),
}

#[derive(Serialize, Deserialize)]
struct StoredOutboundMessage {
    exchange: Exchange,
    /// The bundle's id, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<Uuid>,
    messages: Vec<Arc<Message>>,
    only: Option<Vec<Queue>>,
    #[serde(flatten)]
    failures: Failures,
}

impl OutboxRow {
    /// Messages in one row at the most: all of them may go the same way.
    pub const MESSAGES_MAX: usize = Bundle::MESSAGES_MAX;

    /// A row that was just committed.
    pub fn fresh(id: Uuid, messages: Vec<Arc<Message>>) -> Self {
        Self { id, content: Content::Fresh(messages), tries: 0 }
    }

    /// A row that brings a message to one queue again, as if for the first time.
    pub fn redriven(id: Uuid, queue: Queue, body: Body) -> Self {
        // Which exchange it once came from is of no matter: it goes to its queue directly.
        let message = OutboundMessage {
            only: Some(vec![queue]),
            ..OutboundMessage::new(queue.exchange(), body)
        };
        // Parked once, by whoever redrives it: the relay finds it among the parked rows.
        Self { id, content: Content::Parked(vec![message]), tries: 1 }
    }

    /// The messages to publish for it.
    pub fn messages(&self) -> Vec<OutboundMessage> {
        match &self.content {
            Content::Parked(messages) => messages.clone(),
            Content::Fresh(messages) => ways(messages)
                .into_iter()
                .filter_map(|(exchange, messages)| {
                    Some(OutboundMessage::new(exchange, Body::of(self.id, messages)?))
                })
                .collect(),
        }
    }

    /// How many messages it sends, counted once for each publish that carries them: the sum over
    /// [`Self::messages`], without making them.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Parked(messages) => messages.iter().map(OutboundMessage::size).sum(),
            Content::Fresh(messages) => messages.iter().map(|message| copies(message)).sum(),
        }
    }

    /// The row's content as it is stored. Each message is written once, however often it is asked for.
    pub fn to_json(&self) -> String {
        match &self.content {
            Content::Fresh(messages) => Message::list_json("", messages),
            Content::Parked(messages) => {
                let stored = StoredContent::Parked(
                    messages.iter().map(StoredOutboundMessage::from).collect(),
                );
                serde_json::to_string(&stored)
                    .expect("a parked row contains only strings and numbers")
            }
        }
    }

    /// Reads a row back.
    pub fn from_json(id: Uuid, tries: u32, text: &str) -> Result<Self, serde_json::Error> {
        let content = match serde_json::from_str(text)? {
            StoredContent::Messages(messages) => Content::Fresh(messages),
            StoredContent::Parked(messages) => Content::Parked(
                messages.into_iter().filter_map(StoredOutboundMessage::unpack).collect(),
            ),
        };
        Ok(Self { id, content, tries })
    }
}

impl From<&OutboundMessage> for StoredOutboundMessage {
    fn from(message: &OutboundMessage) -> Self {
        let bundle = match &message.body {
            Body::One(_) => None,
            Body::Bundle(bundle) => Some(bundle.id),
        };
        let messages = message.body.messages().to_vec();
        let OutboundMessage { exchange, ref only, failures, .. } = *message;
        Self { exchange, bundle, messages, only: only.clone(), failures }
    }
}

impl StoredOutboundMessage {
    fn unpack(self) -> Option<OutboundMessage> {
        let Self { exchange, bundle, messages, only, failures } = self;
        let body = Body::of(bundle.unwrap_or_default(), messages)?;
        Some(OutboundMessage { exchange, body, only, failures })
    }
}
