//! The in-process broker: the same promises as a real one, with the outbox as its durable side.
//!
//! ```text
//! relay ──publish──▶ queue ──deliver──▶ consumer ──decide_batch──▶ confirm, when every queue has acknowledged
//!                                          ├─left: retry──▶ confirm "deferred": the row is parked with just
//!                                          │                this, and published again after the delay
//!                                          └─left: reject─▶ dead letter, then confirm
//! ```
//!
//! A message is confirmed when every bound queue's consumer has committed it, or it is stored as a dead
//! letter: until then its outbox row stays. So nothing is held here that a crash could lose. Messages
//! pass as `Arc`s and are never serialised.

use crate::ports::{
    Broker, BrokerError, ConfirmCallback, DeadMessage, Delivery, DeliveryChannel, DeliverySink,
    Depth, Health, PublishOutcome, Remainder, Responder, Rpc, RpcError, Subscription,
};
use async_trait::async_trait;
use dashmap::DashMap;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Exchange, Queue, Unreadable, queues_for};
use ordermill_domain::outbox::OutboundMessage;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The in-process broker. Cheap to clone.
#[derive(Clone)]
pub struct LocalBroker(Arc<Inner>);

/// The responders by address, each with a number of its own.
type Responders = Arc<DashMap<&'static str, (u64, Arc<dyn Responder>)>>;

struct Inner {
    queues: BTreeMap<Queue, Arc<LocalQueue>>,
    responders: Responders,
    served: AtomicU64,
}

impl Default for LocalBroker {
    fn default() -> Self {
        let queue = |name: Queue| {
            let state = Mutex::new(State::default());
            (name, Arc::new(LocalQueue { name, state }))
        };
        let queues = Queue::ALL.iter().copied().map(queue).collect();
        Self(Arc::new(Inner { queues, responders: Arc::default(), served: AtomicU64::new(0) }))
    }
}

#[async_trait]
impl Broker for LocalBroker {
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback) {
        let OutboundMessage { exchange, body, only, failures } = message;
        body.debug_assert_described();
        let queues = only.unwrap_or_else(|| queues_for(exchange, &body));
        if queues.is_empty() {
            return confirm(PublishOutcome::Unroutable);
        }
        let receipt = Receipt::new(exchange, queues.len(), confirm);
        for name in queues {
            if let Some(queue) = self.0.queues.get(&name) {
                let content = Ok(body.clone());
                let item = Item { content, failures, receipt: receipt.clone() };
                queue.lock().ready.push_back(item);
                queue.pump();
            }
        }
    }

    async fn subscribe(
        &self,
        queue: Queue,
        prefetch: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        let Some(queue) = self.0.queues.get(&queue).cloned() else {
            return Err(BrokerError(format!("unknown queue {queue}")));
        };
        let mut state = queue.lock();
        state.generation += 1;
        let generation = state.generation;
        state.requeue();
        state.subscriber = Some(Subscriber { sink, prefetch });
        drop(state);
        queue.pump();
        Ok(Box::new(Held { queue, generation }))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        Ok(self.0.queues.values().map(|queue| queue.depth()).collect())
    }

    fn health(&self) -> Health {
        Health::Connected
    }
}

#[async_trait]
impl Rpc for LocalBroker {
    async fn serve(
        &self,
        address: &'static str,
        responder: Arc<dyn Responder>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        let number = self.0.served.fetch_add(1, Relaxed);
        self.0.responders.insert(address, (number, responder));
        Ok(Box::new(Serving { responders: self.0.responders.clone(), address, number }))
    }

    async fn ask(
        &self,
        address: &'static str,
        question: String,
        patience: Duration,
    ) -> Result<String, RpcError> {
        let responder = self.0.responders.get(address).map(|entry| entry.value().1.clone());
        let responder = responder.ok_or(RpcError::Nobody)?;
        match tokio::time::timeout(patience, responder.answer(&question)).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(_) => Err(RpcError::Late(patience)),
        }
    }
}

/// A responder's hold on its address.
struct Serving {
    responders: Responders,
    address: &'static str,
    number: u64,
}

impl Subscription for Serving {}

impl Drop for Serving {
    fn drop(&mut self) {
        self.responders.remove_if(self.address, |_, (number, _)| *number == self.number);
    }
}

struct LocalQueue {
    name: Queue,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Item>,
    unacked: BTreeMap<u64, Item>,
    last_tag: u64,
    subscriber: Option<Subscriber>,
    generation: u64,
}

struct Subscriber {
    sink: Arc<dyn DeliverySink>,
    prefetch: usize,
}

#[derive(Clone)]
struct Item {
    content: Result<Body, Unreadable>,
    failures: Failures,
    receipt: Arc<Receipt>,
}

/// A publish that waits for its queues.
struct Receipt {
    exchange: Exchange,
    open: Mutex<Open>,
}

struct Open {
    /// The deliveries that are with a queue, or on their way into the dead letters.
    open: usize,
    left: Vec<OutboundMessage>,
    delay: Duration,
    confirm: Option<ConfirmCallback>,
}

impl Receipt {
    fn new(exchange: Exchange, open: usize, confirm: ConfirmCallback) -> Arc<Self> {
        let (left, delay, confirm) = (Vec::new(), Duration::ZERO, Some(confirm));
        Arc::new(Self { exchange, open: Mutex::new(Open { open, left, delay, confirm }) })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// So many more are waited for.
    fn waits_for(&self, more: usize) {
        self.lock().open += more;
    }

    /// A queue wants this again after a delay.
    fn defer(&self, queue: Queue, body: Body, failures: Failures, delay: Duration) {
        let message = OutboundMessage {
            only: Some(vec![queue]),
            failures,
            ..OutboundMessage::new(self.exchange, body)
        };
        let mut open = self.lock();
        open.left.push(message);
        open.delay = open.delay.max(delay);
    }

    /// One of what is waited for is done.
    fn confirm_one(&self) {
        let mut open = self.lock();
        open.open -= 1;
        if open.open > 0 {
            return;
        }
        let (left, delay) = (std::mem::take(&mut open.left), open.delay);
        let confirm = open.confirm.take();
        drop(open);
        if let Some(confirm) = confirm {
            confirm(if left.is_empty() {
                PublishOutcome::Taken
            } else {
                PublishOutcome::Deferred { left, delay }
            });
        }
    }
}

impl State {
    /// Puts the deliveries of a consumer that is gone back, in their old order.
    fn requeue(&mut self) {
        while let Some((_, item)) = self.unacked.pop_last() {
            self.ready.push_front(item);
        }
    }
}

impl LocalQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn depth(&self) -> Depth {
        let state = self.lock();
        Depth {
            queue: self.name,
            ready: state.ready.len() as u64,
            unacked: state.unacked.len() as u64,
            consumers: u64::from(state.subscriber.is_some()),
        }
    }

    /// Delivers what the prefetch allows. Delivered under the lock, so that order is kept; a sink only
    /// puts it into a mailbox.
    fn pump(self: &Arc<Self>) {
        let mut state = self.lock();
        let State { ready, unacked, last_tag, subscriber, .. } = &mut *state;
        let Some(Subscriber { sink, prefetch }) = subscriber else { return };
        while unacked.len() < *prefetch {
            let Some(item) = ready.pop_front() else { return };
            *last_tag += 1;
            sink.deliver(Delivery {
                queue: self.name,
                content: item.content.clone(),
                failures: item.failures,
                tag: *last_tag,
                channel: Arc::new(QueueChannel(self.clone())),
            });
            unacked.insert(*last_tag, item);
        }
    }

    /// Takes a delivery out of the consumer's hands. None: it was given to another meanwhile.
    fn take(&self, tag: u64) -> Option<Item> {
        self.lock().unacked.remove(&tag)
    }

    /// Has an item stored as a dead letter. Until it is, it is still the queue's: dropped on the way, with
    /// an actor or a mailbox, it comes again.
    fn store_dead_letter(self: &Arc<Self>, item: Item, cause: String, at: Timestamp) {
        let sink = self.lock().subscriber.as_ref().map(|subscriber| subscriber.sink.clone());
        let guard = DeadLetterGuard { queue: self.clone(), item: Some(item.clone()) };
        if let Some(sink) = sink {
            sink.store_dead_letter(DeadMessage {
                queue: self.name,
                content: item.content,
                failures: item.failures.and(at),
                cause,
                stored: Box::new(move || guard.close()),
            });
        }
    }

    /// Has what is left of an item wait for its delay, or stores it as a dead letter.
    fn keep(self: &Arc<Self>, item: &Item, remainder: Remainder) {
        let delay = remainder.retry_after(item.failures);
        let Remainder { part, cause, at, .. } = remainder;
        match (part.of(&item.content), delay) {
            (Ok(body), Some(delay)) => {
                let failures = item.failures.and(at);
                tracing::warn!(
                    queue = %self.name, attempt = failures.count, %cause, ?delay,
                    "message handling failed; redelivering"
                );
                item.receipt.defer(self.name, body, failures, delay);
            }
            (content, _) => {
                item.receipt.waits_for(1);
                self.store_dead_letter(Item { content, ..item.clone() }, cause, at);
            }
        }
    }
}

/// A message on its way into the dead letters.
struct DeadLetterGuard {
    queue: Arc<LocalQueue>,
    item: Option<Item>,
}

impl DeadLetterGuard {
    fn close(mut self) {
        if let Some(item) = self.item.take() {
            item.receipt.confirm_one();
        }
    }
}

impl Drop for DeadLetterGuard {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            // Whoever subscribes next, or takes the next message, gets it.
            self.queue.lock().ready.push_front(item);
        }
    }
}

struct QueueChannel(Arc<LocalQueue>);

impl DeliveryChannel for QueueChannel {
    fn acknowledge(&self, tag: u64, remainder: Vec<Remainder>) {
        let Some(item) = self.0.take(tag) else { return };
        for remainder in remainder {
            self.0.keep(&item, remainder);
        }
        item.receipt.confirm_one();
        self.0.pump();
    }
}

/// A consumer's hold on its queue.
struct Held {
    queue: Arc<LocalQueue>,
    generation: u64,
}

impl Subscription for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if state.generation == self.generation {
            state.subscriber = None;
            state.requeue();
        }
    }
}
