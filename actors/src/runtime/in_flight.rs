//! A delivery in hand: which of its messages are still under way, and what is left of those that are not.
//!
//! ```text
//! delivery [a b c d] ──a ticket each──▶ handler      a, c done; b failed for now; d not decided
//!     ▲                                    │
//!     │                                    ├─ d: handed in again, uncounted, by itself
//!     └── acked when none is under way ────┴─ what is left: [b, again, counted]
//! ```
//!
//! So what is handled never comes again because a neighbour has failed, and a message that comes by itself
//! is a delivery like any other.

use super::consumer::{ConsumerParts, Msg};
use super::ticket::{Ticket, TicketOutcome};
use crate::faults::{self, Point};
use crate::ports::{Delivery, DeliveryChannel, DeliveryPart, Disposition, Remainder};
use crate::traces::{self, Attempt};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Message};
use ordermill_domain::planted::{Bug, planted};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// A message that nobody decided is handed in again after this pause, uncounted.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// No message is being handled now.
const NONE: usize = usize::MAX;

/// All messages are being handled now, together.
const ALL: usize = usize::MAX - 1;

/// A delivery that could be read, and is not acknowledged.
pub struct InFlightDelivery {
    parts: Arc<ConsumerParts>,
    channel: Arc<dyn DeliveryChannel>,
    tag: u64,
    since: Instant,
    failures: Failures,
    attempt: Attempt,
    body: Body,
    /// Messages that are under way.
    open: AtomicUsize,
    /// The message that the handler has now: a panic is its own.
    at_work: AtomicUsize,
    /// The messages that are left, by their places; unreadable ones come first.
    remainder: Mutex<Vec<(usize, Remainder)>>,
}

impl InFlightDelivery {
    /// Takes a delivery with this body.
    pub fn new(parts: &Arc<ConsumerParts>, delivery: &Delivery, body: Body) -> Arc<Self> {
        let at = parts.world.now();
        let malformed = |entry: &ordermill_domain::messages::Unreadable| {
            let cause = format!("malformed: {}", entry.error);
            let part = DeliveryPart::Unreadable(entry.clone());
            (0, Remainder { part, disposition: Disposition::Reject, cause, at })
        };
        let remainder = body.unreadable().iter().map(malformed).collect();
        let (queue, failures) = (parts.queue, delivery.failures.count);
        parts.traffic.open.fetch_add(1, Relaxed);
        parts.traffic.rejected.fetch_add(body.unreadable().len() as u64, Relaxed);
        if delivery.failures.count == 0
            && let Some(first) = body.messages().first()
        {
            parts.traffic.metrics.delivered((at - first.occurred_at).to_std().unwrap_or_default());
        }
        Arc::new(Self {
            parts: parts.clone(),
            channel: delivery.channel.clone(),
            tag: delivery.tag,
            since: Instant::now(),
            failures: delivery.failures,
            attempt: Attempt { queue, failures, delivered: at },
            open: AtomicUsize::new(body.messages().len()),
            at_work: AtomicUsize::new(NONE),
            remainder: Mutex::new(remainder),
            body,
        })
    }

    /// Hands all of its messages to the handler.
    pub fn handle(self: &Arc<Self>) {
        if planted(Bug::AckEarly) {
            self.channel.ack(self.tag);
        }
        match self.body.messages().len() {
            0 => self.end(),
            1 => self.handle_one(0),
            _ if self.parts.handler.at_once() => self.handle_all(),
            count => (0..count).for_each(|index| self.handle_one(index)),
        }
    }

    /// Hands one of its messages to the handler.
    pub fn handle_one(self: &Arc<Self>, index: usize) {
        let Some((message, ticket)) = self.given(index) else { return };
        self.guarded(index, || self.parts.handler.handle(message, ticket));
    }

    fn handle_all(self: &Arc<Self>) {
        let given = (0..self.body.messages().len()).filter_map(|index| self.given(index)).collect();
        self.guarded(ALL, || self.parts.handler.handle_all(given));
    }

    /// A message and its ticket.
    fn given(self: &Arc<Self>, index: usize) -> Option<(Arc<Message>, Ticket<()>)> {
        let message = self.body.messages().get(index)?.clone();
        let its = self.clone();
        Some((message, Ticket::new(move |how| its.settled(index, how))))
    }

    /// A panic is an attempt of this message, which its dropped ticket has counted, and of no other.
    fn guarded(&self, at_work: usize, handle: impl FnOnce()) {
        self.at_work.store(at_work, Relaxed);
        if catch_unwind(AssertUnwindSafe(handle)).is_err() {
            tracing::error!(queue = %self.parts.queue, "message handler panicked");
        }
        self.at_work.store(NONE, Relaxed);
    }

    fn settled(self: Arc<Self>, index: usize, how: TicketOutcome<()>) {
        match how {
            TicketOutcome::Done(()) => {
                self.parts.traffic.done.fetch_add(1, Relaxed);
                self.record(index, None);
                self.one_is_done();
            }
            // Dropped by the panic of its own handler: that attempt counts.
            TicketOutcome::Abandoned if self.is_at_work(index) && std::thread::panicking() => {
                self.leave(index, Disposition::Retry, "the message handler panicked".to_owned());
            }
            TicketOutcome::Retry(cause) => self.leave(index, Disposition::Retry, cause),
            TicketOutcome::Dead(cause) => self.leave(index, Disposition::Reject, cause),
            TicketOutcome::Abandoned => self.resubmit(index),
        }
    }

    fn is_at_work(&self, index: usize) -> bool {
        let at_work = self.at_work.load(Relaxed);
        at_work == index || at_work == ALL
    }

    fn record(&self, index: usize, error: Option<&str>) {
        let ConsumerParts { tracer, world, .. } = &*self.parts;
        traces::processed(tracer, &self.body.messages()[index], self.attempt, world, error);
    }

    fn leave(&self, index: usize, disposition: Disposition, cause: String) {
        self.record(index, Some(&cause));
        let part = match &self.body {
            Body::One(_) => DeliveryPart::Whole,
            Body::Bundle(bundle) => DeliveryPart::Message(bundle.messages[index].clone()),
        };
        let left = Remainder { part, disposition, cause, at: self.parts.world.now() };
        let traffic = &self.parts.traffic;
        match left.retry_after(self.failures) {
            Some(_) => &traffic.retried,
            None => &traffic.rejected,
        }
        .fetch_add(1, Relaxed);
        self.lock().push((index, left));
        self.one_is_done();
    }

    fn one_is_done(&self) {
        if self.open.fetch_sub(1, AcqRel) == 1 {
            self.end();
        }
    }

    fn end(&self) {
        let mut remainder = std::mem::take(&mut *self.lock());
        remainder.sort_by_key(|(index, _)| *index);
        let traffic = &self.parts.traffic;
        traffic.open.fetch_sub(1, Relaxed);
        traffic.messages.fetch_add(self.body.messages().len() as u64, Relaxed);
        traffic.settled.fetch_add(1, Relaxed);
        traffic.metrics.handled(self.since.elapsed());
        if remainder.is_empty() {
            faults::passes(Point::Unacked);
        }
        self.channel
            .acknowledge(self.tag, remainder.into_iter().map(|(_, remainder)| remainder).collect());
    }

    fn resubmit(self: Arc<Self>, index: usize) {
        // Outside of a runtime the process is ending, and the broker keeps the delivery.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(AGAIN_AFTER).await;
                let address = self.parts.address.clone();
                address.send(Msg::Again(self, index));
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Remainder)>> {
        self.remainder.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for InFlightDelivery {
    fn drop(&mut self) {
        // Never acknowledged: dropped with a mailbox. The broker brings it again.
        if self.open.load(Acquire) > 0 {
            self.parts.traffic.open.fetch_sub(1, Relaxed);
        }
    }
}
