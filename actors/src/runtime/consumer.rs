//! The consumer: takes deliveries from one queue, hands them to the service, and settles each with
//! the broker when its ticket is settled, that is, when its effect is committed.

use super::address::Address;
use super::journal::JournalHandle;
use super::service::{DeadLetter, Service};
use super::ticket::{Settled, Ticket};
use super::tree::Node;
use crate::clock::World;
use crate::faults::{self, Point};
use crate::messages::Body;
use crate::planted::{Bug, planted};
use crate::ports::{Broker, Dead, Delivery, Sink, Subscription};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A delivery that nobody decided is handed in again after this pause, uncounted.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What a service does with what its queue brings. Called in the order of delivery; must not block.
pub trait Handler: Send + Sync + 'static {
    /// Handles it, and settles the ticket when everything that it caused is committed.
    fn handle(&self, body: Body, ticket: Ticket<()>);
}

/// Where given-up messages are stored.
pub trait Cemetery: Send + Sync + 'static {
    /// Keeps a dead letter; calls back when it is stored.
    fn bury(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>);
}

impl<S: Service> Cemetery for JournalHandle<S> {
    fn bury(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>) {
        Self::bury(self, letter, stored);
    }
}

/// What the consumer is told.
pub enum Msg {
    /// A message to handle.
    Delivery(Box<Delivery>),
    /// A message to keep as a dead letter.
    Dead(Box<Dead>),
    /// Take no more: what is under way ends as it would.
    Close,
}

impl Msg {
    /// What it is called where people look at an actor: a message's own name, where it has one.
    fn name(&self) -> &'static str {
        match self {
            Self::Delivery(delivery) => match &delivery.content {
                Ok(Body::One(message)) => message.kind().as_str(),
                Ok(Body::Feed(_)) => "feed",
                Err(_) => "unreadable",
            },
            Self::Dead(_) => "dead",
            Self::Close => "close",
        }
    }
}

/// What a consumer is made of.
pub struct ConsumerParts {
    /// The queue.
    pub queue: crate::messages::Queue,
    /// Deliveries unsettled at a time: bounds the memory that a slow service costs.
    pub prefetch: usize,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The service.
    pub handler: Arc<dyn Handler>,
    /// Where dead letters go.
    pub cemetery: Arc<dyn Cemetery>,
    /// Time and ids.
    pub world: World,
    /// Where it is reached.
    pub address: Address<Msg>,
    /// What went through it, in all its lives.
    pub traffic: Arc<Traffic>,
}

/// What went through a consumer, in all its lives.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Messages that the broker has handed to it.
    pub received: AtomicU64,
    /// Deliveries whose tickets are open.
    pub open: AtomicUsize,
    /// Deliveries that were settled.
    pub settled: AtomicU64,
    /// It is to take no more, whatever life it is in.
    pub closed: AtomicBool,
}

impl ConsumerParts {
    /// Its entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        self.address.node()
    }
}

/// The actor.
pub struct Consumer(Arc<ConsumerParts>);

impl Consumer {
    /// A consumer over its parts.
    pub fn new(parts: Arc<ConsumerParts>) -> Self {
        Self(parts)
    }
}

struct Inlet(Arc<ConsumerParts>);

impl Sink for Inlet {
    fn deliver(&self, delivery: Delivery) {
        self.0.traffic.received.fetch_add(1, Relaxed);
        self.0.address.send(Msg::Delivery(Box::new(delivery)));
    }

    fn bury(&self, dead: Dead) {
        self.0.traffic.received.fetch_add(1, Relaxed);
        self.0.address.send(Msg::Dead(Box::new(dead)));
    }
}

impl Actor for Consumer {
    type Msg = Msg;
    type State = Option<Box<dyn Subscription>>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        let ConsumerParts { queue, prefetch, broker, address, traffic, .. } = &*self.0;
        address.fill(myself);
        if traffic.closed.load(Relaxed) {
            // It failed while the process ends.
            address.node().running();
            return Ok(None);
        }
        let sink = Arc::new(Inlet(self.0.clone()));
        let subscription = broker.subscribe(*queue, *prefetch, sink).await?;
        address.node().running();
        Ok(Some(subscription))
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        message: Msg,
        subscription: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.0.node().begins(message.name());
        match message {
            Msg::Delivery(delivery) => self.handle_delivery(*delivery),
            Msg::Dead(dead) => self.keep(*dead),
            Msg::Close => drop(subscription.take()),
        }
        self.0.node().handled();
        Ok(())
    }
}

impl Consumer {
    fn handle_delivery(&self, delivery: Delivery) {
        faults::passes(Point::Delivered);
        let body = match &delivery.content {
            Ok(body) => body.clone(),
            Err(unreadable) => {
                let cause = format!("malformed: {}", unreadable.error);
                return delivery.channel.reject(delivery.tag, cause, self.0.world.now());
            }
        };
        self.0.traffic.open.fetch_add(1, Relaxed);
        let (traffic, address) = (self.0.traffic.clone(), self.0.address.clone());
        let clock = self.0.world.clock.clone();
        if planted(Bug::AckEarly) {
            delivery.channel.ack(delivery.tag);
        }
        let handling = Arc::new(AtomicBool::new(true));
        let being_handled = handling.clone();
        let ticket = Ticket::new(move |how| {
            traffic.open.fetch_sub(1, Relaxed);
            traffic.settled.fetch_add(1, Relaxed);
            let Delivery { tag, ref channel, .. } = delivery;
            match how {
                // Dropped by the panic of its own handler: that attempt counts.
                Settled::Abandoned if being_handled.load(Relaxed) && std::thread::panicking() => {
                    channel.retry(tag, "the handler panicked".to_owned(), clock.now());
                }
                Settled::Done(()) => {
                    faults::passes(Point::Unacked);
                    channel.ack(tag);
                }
                Settled::Retry(cause) => channel.retry(tag, cause, clock.now()),
                Settled::Dead(cause) => channel.reject(tag, cause, clock.now()),
                Settled::Abandoned => hand_in_again(address, delivery),
            }
        });
        // A panic is an attempt of this message, which its dropped ticket has counted, and of no other.
        let handle = AssertUnwindSafe(|| self.0.handler.handle(body, ticket));
        if catch_unwind(handle).is_err() {
            tracing::error!(queue = %self.0.queue, "a handler panicked");
        }
        handling.store(false, Relaxed);
    }

    fn keep(&self, dead: Dead) {
        let Dead { queue, content, failures, cause, stored } = dead;
        let (message, body) = match &content {
            Ok(body) => (body.messages().first(), body.to_json()),
            Err(unreadable) => (None, unreadable.body.clone()),
        };
        let (attempts, died_at) = (failures.count, self.0.world.now());
        tracing::error!(%queue, attempts, %cause, "a message is given up: it is a dead letter now");
        let letter = DeadLetter {
            id: self.0.world.new_id(),
            queue,
            order_id: message.map(|message| message.order_id().0),
            event_type: message.map(|message| message.kind().as_str().to_owned()),
            cause,
            attempts,
            body,
            first_failed_at: failures.since.unwrap_or(died_at),
            died_at,
        };
        self.0.cemetery.bury(letter, stored);
    }
}

fn hand_in_again(address: Address<Msg>, delivery: Delivery) {
    // Outside of a runtime the process is ending, and the broker keeps the message.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move {
            tokio::time::sleep(AGAIN_AFTER).await;
            address.send(Msg::Delivery(Box::new(delivery)));
        });
    }
}
