//! What lies in a queue: a message or a bundle, and what becomes of its parts.

use ordermill_actors::ports::{DeliveryPart, Remainder};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Message, Unreadable};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What lies in a queue.
#[derive(Clone)]
pub struct Item {
    pub content: Result<Body, Unreadable>,
    pub failures: Failures,
    /// Why it was given up: it is a dead letter on its way.
    pub cause: Option<String>,
}

impl Item {
    pub fn id(&self) -> Uuid {
        self.content.as_ref().map(Body::id).unwrap_or_default()
    }

    fn messages(&self) -> &[Arc<Message>] {
        self.content.as_ref().map_or(&[], Body::messages)
    }

    /// What is left of it, as an item of its own, and when it comes.
    pub fn remainder(&self, remainder: Remainder) -> (Self, Duration) {
        let delay = remainder.retry_after(self.failures);
        let Remainder { part, cause, at, .. } = remainder;
        let content = part.of(&self.content);
        let cause = delay.is_none().then_some(cause);
        let failures = self.failures.and(at);
        (Self { content, failures, cause }, delay.unwrap_or_default())
    }
}

/// The messages that are not left.
pub fn handled<'a>(
    item: &'a Item,
    remainder: &'a [Remainder],
) -> impl Iterator<Item = &'a Arc<Message>> {
    let is_left = |message: &Arc<Message>| {
        remainder.iter().any(|remainder| match &remainder.part {
            DeliveryPart::Whole => true,
            DeliveryPart::Message(other) => Arc::ptr_eq(message, other),
            DeliveryPart::Unreadable(_) => false,
        })
    };
    item.messages().iter().filter(move |message| !is_left(message))
}
