//! What lies in a queue: a message or a bundle, and what becomes of its parts.

use crate::messages::{Body, Message, Unreadable};
use crate::ports::{Failures, Left, Part};
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
    pub fn left(&self, left: Left) -> (Self, Duration) {
        let delay = left.comes_again_after(self.failures);
        let Left { part, cause, at, .. } = left;
        let content = part.of(&self.content);
        let cause = delay.is_none().then_some(cause);
        let failures = self.failures.and(at);
        (Self { content, failures, cause }, delay.unwrap_or_default())
    }
}

/// The messages that are not left.
pub fn handled<'a>(item: &'a Item, left: &'a [Left]) -> impl Iterator<Item = &'a Arc<Message>> {
    let is_left = |message: &Arc<Message>| {
        left.iter().any(|left| match &left.part {
            Part::Whole => true,
            Part::Message(other) => Arc::ptr_eq(message, other),
            Part::Unreadable(_) => false,
        })
    };
    item.messages().iter().filter(move |message| !is_left(message))
}
