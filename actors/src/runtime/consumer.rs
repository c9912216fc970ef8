//! The consumer: takes deliveries from one queue, hands their messages to the service, and acknowledges each to
//! the broker when the tickets of its messages are complete, that is, when their effects are committed.

use super::address::Address;
use super::in_flight::InFlightDelivery;
use super::journal::JournalHandle;
use super::ticket::Ticket;
use super::tree::Node;
use crate::faults::{self, Point};
use crate::metrics::ConsumerMetrics;
use crate::ports::{Broker, DeadMessage, Delivery, DeliverySink, Subscription};
use crate::traces::Tracer;
use ordermill_domain::clock::World;
use ordermill_domain::messages::{Body, Message};
use ordermill_domain::service::{DeadLetter, Service};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

/// Handles the deliveries of a service's queue. Called in the order of delivery; must not block.
pub trait Handler: Send + Sync + 'static {
    /// Handles a message, and completes its ticket when everything that it caused is committed.
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>);

    /// True when it takes the messages of a bundle better at once than one by one.
    fn at_once(&self) -> bool {
        false
    }

    /// Handles messages that came together, in their order.
    fn handle_all(&self, messages: Vec<(Arc<Message>, Ticket<()>)>) {
        for (message, ticket) in messages {
            self.handle(message, ticket);
        }
    }
}

/// Where given-up messages are stored.
pub trait DeadLetterSink: Send + Sync + 'static {
    /// Keeps a dead letter; calls back when it is stored.
    fn store_dead_letter(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>);
}

impl<S: Service> DeadLetterSink for JournalHandle<S> {
    fn store_dead_letter(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>) {
        Self::store_dead_letter(self, letter, stored);
    }
}

/// A message to the consumer.
pub enum Msg {
    /// A message to handle.
    Delivery(Box<Delivery>),
    /// A message of a delivery in hand, by its place, that nobody has decided.
    Again(Arc<InFlightDelivery>, usize),
    /// A message to keep as a dead letter.
    Dead(Box<DeadMessage>),
    /// Take no more. What is under way is written as it would be; a broker that takes back what was not acknowledged
    /// when the subscription ended brings it again, and it is found to be done.
    Close,
}

impl Msg {
    /// The name of the message in views of actors: a message's own name, where it has one.
    fn name(&self) -> &'static str {
        match self {
            Self::Delivery(delivery) => match &delivery.content {
                Ok(Body::One(message)) => message.kind().as_str(),
                Ok(Body::Bundle(_)) => "bundle",
                Err(_) => "unreadable",
            },
            Self::Again(..) => "again",
            Self::Dead(_) => "dead",
            Self::Close => "close",
        }
    }
}

/// The parts of a consumer.
pub struct ConsumerParts {
    /// The queue.
    pub queue: ordermill_domain::messages::Queue,
    /// Deliveries unacknowledged at a time, each a bundle at most: bounds the memory that a slow service costs.
    pub prefetch: usize,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The service.
    pub handler: Arc<dyn Handler>,
    /// Where dead letters go.
    pub dead_letters: Arc<dyn DeadLetterSink>,
    /// Time and ids.
    pub world: World,
    /// Where the handling of its messages is recorded.
    pub tracer: Tracer,
    /// Where it is reached.
    pub address: Address<Msg>,
    /// The counters of its deliveries, over all its lives.
    pub traffic: Arc<ConsumerCounters>,
}

/// Counters of a consumer's deliveries, over all its lives.
#[derive(Debug)]
pub struct ConsumerCounters {
    /// Deliveries that the broker has handed to it.
    pub received: AtomicU64,
    /// Deliveries some of whose tickets are open.
    pub open: AtomicUsize,
    /// Deliveries that were acknowledged.
    pub settled: AtomicU64,
    /// Messages in them.
    pub messages: AtomicU64,
    /// Messages whose effects are committed.
    pub done: AtomicU64,
    /// Messages that failed for now.
    pub retried: AtomicU64,
    /// Messages that were given up.
    pub rejected: AtomicU64,
    /// It is to take no more, whatever life it is in.
    pub closed: AtomicBool,
    /// How long it takes.
    pub metrics: ConsumerMetrics,
}

impl ConsumerCounters {
    /// The counters of a consumer that has received nothing yet.
    pub fn new(metrics: ConsumerMetrics) -> Self {
        Self {
            received: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            settled: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            done: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            metrics,
        }
    }
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

struct MailboxSink(Arc<ConsumerParts>);

impl DeliverySink for MailboxSink {
    fn deliver(&self, delivery: Delivery) {
        self.0.traffic.received.fetch_add(1, Relaxed);
        self.0.address.send(Msg::Delivery(Box::new(delivery)));
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
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
        let sink = Arc::new(MailboxSink(self.0.clone()));
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
            Msg::Delivery(delivery) => self.handle_delivery(&delivery),
            Msg::Again(delivery, index) => delivery.handle_one(index),
            Msg::Dead(dead) => self.keep(*dead),
            Msg::Close => drop(subscription.take()),
        }
        self.0.node().handled();
        Ok(())
    }
}

impl Consumer {
    fn handle_delivery(&self, delivery: &Delivery) {
        faults::passes(Point::Delivered);
        match &delivery.content {
            Ok(body) => InFlightDelivery::new(&self.0, delivery, body.clone()).handle(),
            Err(unreadable) => {
                self.0.traffic.rejected.fetch_add(1, Relaxed);
                let cause = format!("malformed: {}", unreadable.error);
                delivery.channel.reject(delivery.tag, cause, self.0.world.now());
            }
        }
    }

    /// Keeps each message of it as a dead letter of its own: a bundle comes here as a whole when the broker
    /// itself has given it up.
    fn keep(&self, dead: DeadMessage) {
        let DeadMessage { queue, content, failures, cause, stored } = dead;
        let letters: Vec<(Option<&Message>, String)> = match &content {
            Ok(body) => {
                let messages = body.messages().iter();
                let read = messages.map(|message| (Some(&**message), message.json().to_owned()));
                let unread = body.unreadable().iter().map(|entry| (None, entry.body.clone()));
                read.chain(unread).collect()
            }
            Err(unreadable) => vec![(None, unreadable.body.clone())],
        };
        if letters.is_empty() {
            return stored();
        }
        let all = Arc::new(PendingDeadLetters::new(letters.len(), stored));
        let (attempts, died_at) = (failures.count, self.0.world.now());
        for (message, body) in letters {
            let order_id = message.map(|message| tracing::field::display(message.order_id()));
            let trace_id = message.and_then(|message| message.origin.trace_id());
            tracing::error!(
                order_id, trace_id, %queue, attempts, %cause,
                "message handling failed permanently; dead-lettered"
            );
            let letter = DeadLetter {
                id: self.0.world.new_id(),
                queue,
                order_id: message.map(|message| message.order_id().0),
                event_type: message.map(|message| message.kind().as_str().to_owned()),
                cause: cause.clone(),
                attempts,
                body,
                first_failed_at: failures.since.unwrap_or(died_at),
                died_at,
            };
            let all = all.clone();
            self.0.dead_letters.store_dead_letter(letter, Box::new(move || all.one_is_stored()));
        }
    }
}

/// Dead letters that came together, and whom to tell when all of them are stored. Dropped before that, it
/// tells nobody, and they come again.
struct PendingDeadLetters {
    open: AtomicUsize,
    stored: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl PendingDeadLetters {
    fn new(letters: usize, stored: Box<dyn FnOnce() + Send>) -> Self {
        Self { open: AtomicUsize::new(letters), stored: Mutex::new(Some(stored)) }
    }

    fn one_is_stored(&self) {
        if self.open.fetch_sub(1, AcqRel) > 1 {
            return;
        }
        let stored = self.stored.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(stored) = stored {
            stored();
        }
    }
}
