//! A broker with several consumers a queue, that delivers late, twice, out of order, and forgets.

use super::Shared;
use super::fault::Fault;
use super::process_gate::ProcessGate;
use async_trait::async_trait;
use ordermill_actors::ports::{
    Broker, BrokerError, ConfirmCallback, DeadMessage, Delivery, DeliveryChannel, DeliverySink,
    Depth, Health, PublishOutcome, Remainder, Subscription,
};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Queue, RETRY_DELAYS, queues_for};
use ordermill_domain::outbox::OutboundMessage;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

mod item;

use item::{Item, handled};

/// The longest that a message is under way on the network.
const SLOW: Duration = Duration::from_millis(500);

/// The longest that one is under way that gets stuck somewhere: its sender has sent it again meanwhile,
/// and somebody may have changed their mind.
const STUCK: Duration = Duration::from_secs(120);

/// What happens in a run at the most: some hundred times what does. Then nothing is delivered any more, so
/// that messages that breed are found as orders that do not rest, and not by a machine without memory.
const EVENTS_MAX: u64 = 200_000;

/// How far a message may overtake others.
const OVERTAKES_MAX: u64 = 4;

struct Consumer {
    id: u64,
    gate: ProcessGate,
    sink: Arc<dyn DeliverySink>,
    prefetch: usize,
    unacked: BTreeMap<u64, Item>,
}

#[derive(Default)]
struct SimQueue {
    ready: VecDeque<Item>,
    consumers: Vec<Consumer>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<Queue, SimQueue>,
    last: u64,
    /// Messages on their way into a queue.
    under_way: usize,
}

/// The broker, shared by all processes. Cheap to clone.
#[derive(Clone)]
pub struct SimBroker {
    sim: Shared,
    state: Arc<Mutex<State>>,
}

/// The broker, as one process sees it.
pub struct Connection {
    pub broker: SimBroker,
    pub gate: ProcessGate,
}

impl SimBroker {
    /// An empty broker.
    pub fn new(sim: Shared) -> Self {
        Self { sim, state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A process's connections are gone: what it has not acknowledged is given to others.
    pub fn disconnect(&self, process: u64) {
        let mut state = self.lock();
        for queue in state.queues.values_mut() {
            while let Some(at) = queue.consumers.iter().position(|c| c.gate.number == process) {
                let gone = queue.consumers.remove(at);
                requeue(&mut queue.ready, gone.unacked);
            }
        }
        drop(state);
        self.pump_all();
    }

    /// All connections break and come back: what is not acknowledged is delivered again, and what is
    /// acknowledged after this was acknowledged in vain.
    pub fn reconnect_all(&self) {
        let mut state = self.lock();
        for queue in state.queues.values_mut() {
            for consumer in &mut queue.consumers {
                requeue(&mut queue.ready, std::mem::take(&mut consumer.unacked));
            }
        }
        drop(state);
        self.pump_all();
    }

    /// Messages that are not acknowledged yet.
    pub fn open(&self) -> usize {
        let state = self.lock();
        let unacked = |queue: &SimQueue| -> usize {
            queue.consumers.iter().map(|consumer| consumer.unacked.len()).sum()
        };
        let waiting = |queue: &SimQueue| queue.ready.len() + unacked(queue);
        state.under_way + state.queues.values().map(waiting).sum::<usize>()
    }

    fn pump_all(&self) {
        for queue in Queue::ALL {
            self.pump(*queue);
        }
    }

    fn arrive_later(&self, queue: Queue, item: Item, after: Duration) {
        let broker = self.clone();
        broker.lock().under_way += 1;
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let mut state = broker.lock();
            state.under_way -= 1;
            state.queues.entry(queue).or_default().ready.push_back(item);
            drop(state);
            broker.pump(queue);
        });
    }

    /// Delivers what the consumers have room for.
    fn pump(&self, name: Queue) {
        loop {
            if self.sim.trace.events() > EVENTS_MAX {
                return;
            }
            let mut state = self.lock();
            state.last += 1;
            let tag = state.last;
            let queue = state.queues.entry(name).or_default();
            let free: Vec<usize> = (0..queue.consumers.len())
                .filter(|at| {
                    let consumer = &queue.consumers[*at];
                    !consumer.gate.is_dead() && consumer.unacked.len() < consumer.prefetch
                })
                .collect();
            let overtakes = self.sim.chance.below(OVERTAKES_MAX.min(queue.ready.len() as u64));
            let Some(at) = self.sim.chance.pick(&free).copied() else { return };
            let Some(item) = queue.ready.remove(usize::try_from(overtakes).unwrap_or(0)) else {
                return;
            };
            if overtakes > 0 {
                self.sim.happened(Fault::Overtaken);
            }
            let (item, failed) = self.fail_in_part(item);
            let consumer = &mut queue.consumers[at];
            consumer.unacked.insert(tag, item.clone());
            let (sink, id, gate) = (consumer.sink.clone(), consumer.id, consumer.gate.clone());
            drop(state);
            if let Some(failed) = failed {
                self.arrive_later(name, failed, RETRY_DELAYS[0]);
            }
            self.sim.trace.say(format_args!("{} gets {name} {}", gate.number, item.id()));
            let channel = SimChannel { broker: self.clone(), queue: name, consumer: id, gate };
            hand_over(&*sink, name, item, tag, channel);
        }
    }

    /// An item as its consumer sees it, and what of it fails: to everybody else a message that was tried and
    /// has failed is one that was never brought.
    fn fail_in_part(&self, item: Item) -> (Item, Option<Item>) {
        let bundle = match (&item.content, &item.cause) {
            (Ok(Body::Bundle(bundle)), None) if self.sim.fails(Fault::PartFailed) => bundle,
            (Ok(Body::Bundle(_) | Body::One(_)) | Err(_), _) => return (item, None),
        };
        let mut messages = bundle.messages.clone();
        let failed = messages.remove(self.sim.chance.below(messages.len() as u64) as usize);
        let Some(rest) = Body::of(bundle.id, messages) else { return (item, None) };
        self.sim.trace.say(format_args!("{} of {} fails", failed.event_id, bundle.id));
        let failures = Failures { count: item.failures.count + 1, ..item.failures };
        let failed = Item { content: Ok(Body::One(failed)), failures, cause: None };
        (Item { content: Ok(rest), ..item }, Some(failed))
    }

    /// Takes a delivery out of a consumer's hands. None: it was given to another meanwhile.
    fn take(&self, queue: Queue, consumer: u64, tag: u64) -> Option<Item> {
        let mut state = self.lock();
        let consumers = &mut state.queues.get_mut(&queue)?.consumers;
        consumers.iter_mut().find(|c| c.id == consumer)?.unacked.remove(&tag)
    }
}

impl SimBroker {
    /// A consumer's channel is lost with an ack on it: what it held is delivered again, as soon as there
    /// is another channel.
    fn lose_channel(&self, queue: Queue, consumer: u64, acked: Item) {
        let mut state = self.lock();
        let SimQueue { ready, consumers } = state.queues.entry(queue).or_default();
        if let Some(consumer) = consumers.iter_mut().find(|known| known.id == consumer) {
            requeue(ready, std::mem::take(&mut consumer.unacked));
        }
        drop(state);
        self.arrive_later(queue, acked, self.sim.chance.pause(SLOW));
    }
}

fn requeue(ready: &mut VecDeque<Item>, mut unacked: BTreeMap<u64, Item>) {
    while let Some((_, item)) = unacked.pop_last() {
        ready.push_front(item);
    }
}

fn hand_over(sink: &dyn DeliverySink, queue: Queue, item: Item, tag: u64, channel: SimChannel) {
    let Item { content, failures, cause } = item;
    match cause {
        None => {
            sink.deliver(Delivery { queue, content, failures, tag, channel: Arc::new(channel) })
        }
        Some(cause) => sink.store_dead_letter(DeadMessage {
            queue,
            content,
            failures,
            cause,
            stored: Box::new(move || channel.ack(tag)),
        }),
    }
}

#[derive(Clone)]
struct SimChannel {
    broker: SimBroker,
    queue: Queue,
    consumer: u64,
    gate: ProcessGate,
}

impl SimChannel {
    /// Does something at the broker, as soon as the process runs.
    fn at_the_broker(&self, acknowledge: impl FnOnce(&Self) + Send + 'static) {
        if self.gate.runs() {
            return acknowledge(self);
        }
        let channel = self.clone();
        tokio::spawn(async move {
            channel.gate.runs_on().await;
            acknowledge(&channel);
        });
    }
}

impl DeliveryChannel for SimChannel {
    fn acknowledge(&self, tag: u64, remainder: Vec<Remainder>) {
        self.broker.sim.may_die(&self.gate);
        self.at_the_broker(move |Self { broker, queue, consumer, .. }| {
            let Some(item) = broker.take(*queue, *consumer, tag) else { return };
            // Copies of what is left come first: with the ack goes only the original.
            for remainder in remainder.iter().cloned() {
                let (copy, delay) = item.remainder(remainder);
                broker.arrive_later(*queue, copy, delay);
            }
            if broker.sim.fails(Fault::AckLost) {
                return broker.lose_channel(*queue, *consumer, item);
            }
            for message in handled(&item, &remainder) {
                broker.sim.handled(queue.service().as_str(), message);
            }
            broker.pump(*queue);
        });
    }
}

#[async_trait]
impl Broker for Connection {
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback) {
        message.body.debug_assert_described();
        let (broker, gate) = (self.broker.clone(), self.gate.clone());
        tokio::spawn(async move {
            let SimBroker { sim, .. } = &broker;
            sim.may_die(&gate);
            gate.runs_on().await;
            tokio::time::sleep(sim.chance.pause(SLOW)).await;
            // It died meanwhile: this was under way, or still in its own memory.
            if gate.is_dead() && sim.chance.percent(50) {
                return;
            }
            if sim.fails(Fault::Lost) {
                return confirm(PublishOutcome::Lost);
            }
            let OutboundMessage { exchange, body, only, failures } = message;
            let queues = only.unwrap_or_else(|| queues_for(exchange, &body));
            if queues.is_empty() {
                return confirm(PublishOutcome::Unroutable);
            }
            for queue in queues {
                // What nobody would ever send again must not be lost: the audit has no sweeper.
                if !queue.is_fed() && sim.fails(Fault::Forgotten) {
                    sim.trace.say(format_args!("the broker loses {queue} {}", body.id()));
                    continue;
                }
                let copies = 1 + u64::from(sim.fails(Fault::Doubled));
                for _ in 0..copies {
                    let item = Item { content: Ok(body.clone()), failures, cause: None };
                    let slow = if sim.fails(Fault::Delayed) { STUCK } else { SLOW };
                    broker.arrive_later(queue, item, sim.chance.pause(slow));
                }
            }
            gate.runs_on().await;
            let unconfirmed = sim.fails(Fault::Unconfirmed);
            confirm(if unconfirmed { PublishOutcome::Lost } else { PublishOutcome::Taken });
        });
    }

    async fn subscribe(
        &self,
        queue: Queue,
        prefetch: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        let mut state = self.broker.lock();
        state.last += 1;
        let id = state.last;
        let gate = self.gate.clone();
        let consumer = Consumer { id, gate, sink, prefetch, unacked: BTreeMap::new() };
        state.queues.entry(queue).or_default().consumers.push(consumer);
        drop(state);
        self.broker.pump(queue);
        Ok(Box::new(Held { broker: self.broker.clone(), queue, consumer: id }))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        let state = self.broker.lock();
        let depth = |(name, queue): (&Queue, &SimQueue)| Depth {
            queue: *name,
            ready: queue.ready.len() as u64,
            unacked: 0,
            consumers: queue.consumers.len() as u64,
        };
        Ok(state.queues.iter().map(depth).collect())
    }

    fn health(&self) -> Health {
        Health::Connected
    }
}

/// A consumer's hold on its queue.
struct Held {
    broker: SimBroker,
    queue: Queue,
    consumer: u64,
}

impl Subscription for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.broker.lock();
        if let Some(queue) = state.queues.get_mut(&self.queue)
            && let Some(at) = queue.consumers.iter().position(|c| c.id == self.consumer)
        {
            let gone = queue.consumers.remove(at);
            requeue(&mut queue.ready, gone.unacked);
        }
    }
}
