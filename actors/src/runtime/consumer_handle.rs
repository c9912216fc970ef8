//! A consumer, as the rest of the process sees it.

use super::address::Address;
use super::consumer::{self, ConsumerCounters};
use super::tree::Node;
use ordermill_domain::messages::Queue;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A consumer, as the rest of the process sees it.
#[derive(Clone)]
pub struct ConsumerHandle {
    pub(super) queue: Queue,
    pub(super) prefetch: usize,
    pub(super) address: Address<consumer::Msg>,
    pub(super) traffic: Arc<ConsumerCounters>,
}

impl ConsumerHandle {
    /// The queue.
    pub fn queue(&self) -> Queue {
        self.queue
    }

    /// Deliveries that were acknowledged so far.
    pub fn settled(&self) -> u64 {
        self.traffic.settled.load(Relaxed)
    }

    /// Messages so far by what became of them: done, failed for now, given up.
    pub fn outcomes(&self) -> [(&'static str, u64); 3] {
        let ConsumerCounters { done, retried, rejected, .. } = &*self.traffic;
        [("done", done), ("retry", retried), ("dead", rejected)]
            .map(|(outcome, messages)| (outcome, messages.load(Relaxed)))
    }

    /// Messages in them.
    pub fn messages(&self) -> u64 {
        self.traffic.messages.load(Relaxed)
    }

    /// Deliveries that the broker has handed to it so far.
    pub fn received(&self) -> u64 {
        self.traffic.received.load(Relaxed)
    }

    /// True when the broker could hand more to it.
    pub fn has_room(&self) -> bool {
        let in_flight = self.node().depth() + self.open();
        !self.traffic.closed.load(Relaxed) && in_flight < self.prefetch
    }

    /// Its entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        self.address.node()
    }

    /// Takes no more.
    pub fn close(&self) {
        self.traffic.closed.store(true, Relaxed);
        self.address.send(consumer::Msg::Close);
    }

    /// Deliveries that are not acknowledged yet.
    pub fn open(&self) -> usize {
        self.traffic.open.load(Relaxed)
    }
}
