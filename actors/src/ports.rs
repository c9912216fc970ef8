//! The ports: what the domain needs of databases and brokers, and what each answer promises.

use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, ChannelMessage, Message, Queue, RETRY_DELAYS, Unreadable};
use ordermill_domain::outbox::{OutboundMessage, OutboxRow};
use ordermill_domain::service::{
    Batch, DeadLetter, DeadLetterCount, DiscardedLetter, Outcome, Service,
};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// Why a transaction did not answer.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Nothing was written: another process was at the same rows (a deadlock, a row that it inserted
    /// meanwhile). A normal case; the same batch is tried again at once.
    #[error("conflict with another process: {0}")]
    Contended(String),
    /// Nothing was written and it is nobody's fault: a lost connection, a full disk. The same batch
    /// may be tried again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke while committing: it is written, or it is not.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(String),
    /// Nothing was written, and one of the changes is at fault.
    #[error("the database rejects the data: {0}")]
    Data(String),
}

/// Why a read did not answer. What it would have said is never guessed.
#[derive(Clone, Debug, Error)]
pub enum ReadError {
    /// The database is away: the read is tried again.
    #[error("the database is unavailable: {0}")]
    Away(String),
    /// The stored data cannot be read, now or later: an operator has to repair it.
    #[error("stored data is unreadable: {0}")]
    Unreadable(String),
}

/// The answer to a committed batch.
pub struct Committed<S: Service> {
    /// One outcome a change, in their order.
    pub outcomes: Vec<Outcome<S::Answer>>,
    /// The outbox rows that it wrote.
    pub outbox: Vec<OutboxRow>,
}

/// A service's database, as its journal writes it.
#[async_trait]
pub trait Store<S: Service>: Send + Sync + 'static {
    /// Reads and locks the batch's rows, decides it, and writes what comes of it, in one transaction.
    ///
    /// When it returns `Ok`, everything is durable (fsync included). When it returns `Contended`,
    /// `Unavailable` or `Data`, nothing of the batch is. The future is run to its end: it is never dropped half way.
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError>;
}

/// A service's outbox, as its relay reads it. Only committed rows are seen, and only this process's own:
/// those that it wrote or has adopted.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Rows that wait to be published, oldest first: those after `after`, `limit` at most,
    /// parked ones left out.
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError>;
    /// Parked rows whose time has come, `limit` at most.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError>;
    /// How many rows are parked, whoever's they are.
    async fn parked(&self) -> Result<u64, ReadError>;
    /// The time by the database's own clock. None: it has none, or it is this machine's.
    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(None)
    }
    /// Takes over rows of processes that are dead, `limit` at most, and says how many. A row never
    /// changes hands while its owner lives.
    async fn adopt(&self, limit: u32) -> Result<u64, ReadError>;
}

/// Which dead letters are listed; what is None is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Of this queue.
    pub queue: Option<Queue>,
    /// Those before this one.
    pub before: Option<Uuid>,
}

/// A service's dead letters, as a person looks at them.
#[async_trait]
pub trait DeadLetters: Send + Sync + 'static {
    /// Dead letters, newest first, `limit` at most.
    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError>;
    /// One of them.
    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError>;
    /// How many there are, by queue; a queue that has none is left out.
    async fn dead_letter_counts(&self) -> Result<Vec<DeadLetterCount>, ReadError>;
    /// Forgets some that died before this moment, `limit` at most: how many.
    async fn forget_dead_letters(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError>;
    /// Dead letters that were discarded, newest first by their ids, `limit` at most.
    async fn discarded_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError>;
    /// Forgets some that were discarded before this moment, `limit` at most: how many.
    async fn forget_discarded(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError>;
}

/// A service's database: what its runtime needs of it.
pub trait Database<S: Service>: Store<S> + Outbox + DeadLetters {}

impl<S: Service, T: Store<S> + Outbox + DeadLetters> Database<S> for T {}

/// The outcome of a publish.
#[derive(Clone, Debug, PartialEq)]
pub enum PublishOutcome {
    /// The broker, or every consumer, has it for good.
    Taken,
    /// No queue takes it.
    Unroutable,
    /// Consumers failed on some of it for now: they want that again after the delay.
    Deferred {
        /// The messages that are left: each with its queue, and how often it has failed there.
        left: Vec<OutboundMessage>,
        /// How long to wait.
        delay: Duration,
    },
    /// Nobody knows: it must be published again.
    Lost,
}

/// Called exactly once with what became of a publish.
pub type ConfirmCallback = Box<dyn FnOnce(PublishOutcome) + Send>;

/// A message, or a bundle of them, on its way to a consumer.
#[derive(Clone)]
pub struct Delivery {
    /// The queue it came from.
    pub queue: Queue,
    /// Its content, or why it could not be read.
    pub content: Result<Body, Unreadable>,
    /// How often its consumer has failed on it.
    pub failures: Failures,
    /// The channel's tag of the delivery.
    pub tag: u64,
    /// How it is acknowledged.
    pub channel: Arc<dyn DeliveryChannel>,
}

/// The unhandled rest of a delivery, and why it was not handled.
#[derive(Clone, Debug)]
pub struct Remainder {
    /// Which part of it.
    pub part: DeliveryPart,
    /// The next step for it.
    pub disposition: Disposition,
    /// The cause of the failure.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

impl Remainder {
    /// After what time it is brought again, where its delivery has failed so often already. None: it is given up.
    pub fn retry_after(&self, failures: Failures) -> Option<Duration> {
        match self.disposition {
            Disposition::Retry => RETRY_DELAYS.get(failures.count as usize).copied(),
            Disposition::Reject => None,
        }
    }
}

/// A part of a delivery.
#[derive(Clone, Debug)]
pub enum DeliveryPart {
    /// All of it, as it came.
    Whole,
    /// One of a bundle's messages.
    Message(Arc<Message>),
    /// One of its entries that cannot be read.
    Unreadable(Unreadable),
}

impl DeliveryPart {
    /// Its content, as a part of a delivery of this content.
    pub fn of(self, whole: &Result<Body, Unreadable>) -> Result<Body, Unreadable> {
        match self {
            Self::Whole => whole.clone(),
            Self::Message(message) => Ok(Body::One(message)),
            Self::Unreadable(unreadable) => Err(unreadable),
        }
    }
}

/// The next step for messages that were not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It failed for now: bring it again later, counted; give it up after the last delay.
    Retry,
    /// It can never be handled: keep it as a dead letter.
    Reject,
}

/// Acknowledges deliveries. Each call is for one delivery; a broker may gather them.
pub trait DeliveryChannel: Send + Sync + 'static {
    /// All that the delivery causes is committed, but for what is left of it: that comes again, or is kept as
    /// a dead letter, by itself. The delivery is forgotten no sooner than what is left is in safety.
    fn acknowledge(&self, tag: u64, remainder: Vec<Remainder>);

    /// All of it is handled.
    fn ack(&self, tag: u64) {
        self.acknowledge(tag, Vec::new());
    }

    /// All of it failed for now.
    fn retry(&self, tag: u64, cause: String, at: Timestamp) {
        self.acknowledge(
            tag,
            vec![Remainder {
                part: DeliveryPart::Whole,
                disposition: Disposition::Retry,
                cause,
                at,
            }],
        );
    }

    /// It can never be handled.
    fn reject(&self, tag: u64, cause: String, at: Timestamp) {
        self.acknowledge(
            tag,
            vec![Remainder {
                part: DeliveryPart::Whole,
                disposition: Disposition::Reject,
                cause,
                at,
            }],
        );
    }
}

/// A message that was given up, on its way into its service's dead letters.
pub struct DeadMessage {
    /// The queue it could not be handled in.
    pub queue: Queue,
    /// Its content; a bundle if it was not taken apart.
    pub content: Result<Body, Unreadable>,
    /// How often it was tried, and since when.
    pub failures: Failures,
    /// Why it was given up.
    pub cause: String,
    /// Call it when the dead letter is stored: only then is the message forgotten.
    pub stored: Box<dyn FnOnce() + Send>,
}

/// Where a subscription's messages go.
pub trait DeliverySink: Send + Sync + 'static {
    /// A message to handle.
    fn deliver(&self, delivery: Delivery);
    /// A message that was given up, to be stored.
    fn store_dead_letter(&self, dead: DeadMessage);
}

/// Why a subscription failed.
#[derive(Debug, Error)]
#[error("the broker is unavailable: {0}")]
pub struct BrokerError(pub String);

/// Ends a subscription when dropped: what is undelivered stays with the broker.
pub trait Subscription: Send + Sync + 'static {}

/// How full a queue is. A bundle counts as one: brokers do not look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The queue.
    pub queue: Queue,
    /// Deliveries that wait for a consumer.
    pub ready: u64,
    /// Deliveries that are with this process's consumers, not yet acknowledged.
    pub unacked: u64,
    /// Consumers of all processes.
    pub consumers: u64,
}

/// How the broker is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes and brings messages.
    Connected,
    /// It brings messages and takes none: it is short of memory or disk.
    Blocked(String),
    /// It cannot be reached.
    Away(String),
}

/// What goes between this process and the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerTraffic {
    /// Connections that were opened after they had been lost.
    pub reconnects: u64,
    /// Messages published and not yet confirmed.
    pub unconfirmed: u64,
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RpcError {
    /// Nobody answers questions of this kind.
    #[error("no consumer for the request")]
    Nobody,
    /// No answer came in time.
    #[error("no response within {0:?}")]
    Late(Duration),
    /// The broker is away.
    #[error("the broker is unavailable: {0}")]
    Away(String),
}

/// Answers questions of one kind.
#[async_trait]
pub trait Responder: Send + Sync + 'static {
    /// The answer, as JSON. None: it cannot be answered now, and the asker will wait in vain.
    async fn answer(&self, question: &str) -> Option<String>;
}

/// The broker: takes messages, routes them to queues, hands them to consumers until they are acked.
///
/// Delivery is at least once. A confirmed message survives whatever the broker promises to survive;
/// until then its outbox row holds it.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Publishes a message. Never blocks; `confirm` is called exactly once, later or at once.
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback);
    /// Consumes a queue: `prefetch` deliveries at the most are unacknowledged at a time.
    async fn subscribe(
        &self,
        queue: Queue,
        prefetch: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError>;
    /// How full its queues are. Asked about once a second.
    async fn depths(&self) -> Result<Vec<Depth>, BrokerError>;
    /// How it is doing, as far as is known now.
    fn health(&self) -> Health;
    /// What goes to it. One in the process itself has no connections, and confirms at once.
    fn traffic(&self) -> BrokerTraffic {
        BrokerTraffic::default()
    }
}

/// Questions and answers between processes. Nothing of them is kept anywhere.
#[async_trait]
pub trait Rpc: Send + Sync + 'static {
    /// Answers the questions that come to `address`.
    async fn serve(
        &self,
        address: &'static str,
        responder: Arc<dyn Responder>,
    ) -> Result<Box<dyn Subscription>, BrokerError>;
    /// Puts a question to whoever serves `address`.
    async fn ask(
        &self,
        address: &'static str,
        question: String,
        patience: Duration,
    ) -> Result<String, RpcError>;
}

/// An error of a channel to customers.
#[derive(Debug, Error)]
pub enum ChannelError {
    /// May pass.
    #[error("{0}")]
    Transient(String),
    /// Will never pass: the address is none.
    #[error("{0}")]
    Permanent(String),
}

/// A way to reach a customer. Sent at least once.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// Sends it; `Ok` when the next hop has taken it over.
    async fn send(&self, message: &ChannelMessage) -> Result<(), ChannelError>;
}
