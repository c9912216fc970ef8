//! A part's address: where its current incarnation is reached, across restarts.

use crate::runtime::tree::Node;
use ractor::{ActorRef, Message};
use std::sync::{Arc, RwLock};

/// Where to send to. Cheap to clone; the part fills it in each time it starts.
pub struct Address<M> {
    current: Arc<RwLock<Option<ActorRef<M>>>>,
    node: Arc<Node>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { current: self.current.clone(), node: self.node.clone() }
    }
}

impl<M: Message> Address<M> {
    /// An address that nobody lives at yet.
    pub fn new(node: Arc<Node>) -> Self {
        Self { current: Arc::default(), node }
    }

    /// The part's entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Moves in.
    pub fn fill(&self, actor: ActorRef<M>) {
        *self.current.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(actor);
    }

    /// Sends a message, or gives it back by dropping it: what it carries completes itself.
    pub fn send(&self, message: M) {
        let current = self.current.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        // The lock is given back first: what is dropped may send in its turn.
        if let Some(actor) = current {
            self.node.queued();
            if actor.cast(message).is_err() {
                self.node.unqueued();
            }
        }
    }
}
