//! What a service does that is fed with events in bulk: every feed is one change, one row of the
//! publisher's outbox is one commit here.
//!
//! A feed that cannot be written is taken apart: its good events are committed, and only the bad
//! ones become dead letters.

use super::consumer::Handler;
use super::journal::{JournalHandle, Verdict};
use super::service::{DeadLetter, Service};
use super::ticket::{Settled, Ticket};
use crate::clock::World;
use crate::messages::{Body, Message, Queue, Unreadable};
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use std::sync::{Arc, Mutex};

/// How a service takes events.
pub trait Fed: Service {
    /// The change that takes these events.
    fn take(events: Vec<Arc<Message>>) -> Self::Change;

    /// They are taken: a place for what needs no promise (a log line).
    fn taken(answer: Self::Answer) {
        drop(answer);
    }
}

/// Hands feeds to a journal.
pub struct FeedHandler<S: Service>(Arc<Parts<S>>);

struct Parts<S: Service> {
    queue: Queue,
    journal: JournalHandle<S>,
    world: World,
}

impl<S: Fed> FeedHandler<S> {
    /// A handler of this queue that writes to a journal.
    pub fn new(queue: Queue, journal: JournalHandle<S>, world: World) -> Self {
        Self(Arc::new(Parts { queue, journal, world }))
    }
}

impl<S: Fed> Handler for FeedHandler<S> {
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        let parts = self.0.clone();
        match &body {
            Body::Feed(feed) if !feed.unreadable.is_empty() => {
                return apart(&parts, &feed.events, &feed.unreadable, ticket);
            }
            Body::Feed(_) | Body::One(_) => {}
        }
        let change = S::take(body.messages().to_vec());
        self.0.journal.submit(change, move |verdict| match verdict {
            Verdict::Done(answer) => {
                S::taken(answer);
                ticket.settle(Settled::Done(()));
            }
            Verdict::Refused => ticket.settle(Settled::Abandoned),
            Verdict::Failed(cause) if body.messages().len() <= 1 => {
                ticket.settle(Settled::Dead(cause));
            }
            Verdict::Failed(_) => apart(&parts, body.messages(), &[], ticket),
        });
    }
}

/// The ticket of a feed that was taken apart, and how many of its events are still under way. When
/// nobody knows of one of them, the ticket is dropped with it, and the whole feed comes again.
struct Apart {
    ticket: Mutex<Option<Ticket<()>>>,
    open: AtomicUsize,
}

impl Apart {
    fn one_is_done(&self) {
        if self.open.fetch_sub(1, AcqRel) == 1 {
            let ticket = self.ticket.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
            if let Some(ticket) = ticket {
                ticket.settle(Settled::Done(()));
            }
        }
    }
}

/// Commits each event by itself, and keeps what cannot be read or committed as a dead letter of its own.
fn apart<S: Fed>(
    parts: &Arc<Parts<S>>,
    events: &[Arc<Message>],
    unreadable: &[Unreadable],
    ticket: Ticket<()>,
) {
    let open = AtomicUsize::new(events.len() + unreadable.len());
    let apart = Arc::new(Apart { ticket: Mutex::new(Some(ticket)), open });
    for Unreadable { body, error } in unreadable {
        let apart = apart.clone();
        let cause = format!("malformed: {error}");
        parts.bury(None, body.clone(), cause, move || apart.one_is_done());
    }
    for event in events {
        let (apart, event, with) = (apart.clone(), event.clone(), parts.clone());
        parts.journal.submit(S::take(vec![event.clone()]), move |verdict| match verdict {
            Verdict::Done(answer) => {
                S::taken(answer);
                apart.one_is_done();
            }
            // Dropped with what it holds: nobody has decided it.
            Verdict::Refused => drop(apart),
            Verdict::Failed(cause) => {
                let body = event.json().to_owned();
                with.bury(Some(&event), body, cause, move || apart.one_is_done());
            }
        });
    }
}

impl<S: Fed> Parts<S> {
    fn bury(
        &self,
        event: Option<&Message>,
        body: String,
        cause: String,
        stored: impl FnOnce() + Send + 'static,
    ) {
        let (queue, event_type) = (self.queue, event.map(|event| event.kind().as_str().to_owned()));
        tracing::error!(%queue, event_type, %cause, "an event is a dead letter now");
        let died_at = self.world.now();
        let letter = DeadLetter {
            id: self.world.new_id(),
            queue,
            order_id: event.map(|event| event.order_id().0),
            event_type,
            cause,
            attempts: 1,
            body,
            first_failed_at: died_at,
            died_at,
        };
        self.journal.bury(letter, Box::new(stored));
    }
}

#[cfg(test)]
pub(crate) mod tests;
