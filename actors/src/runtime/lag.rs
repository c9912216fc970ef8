//! The lag: how far behind the system is with work of its own.
//!
//! ```text
//! journals: wait of the oldest change ─┐
//! relays: said and not taken / rate    ├─▶ LagMeter ─each second─▶ Lag ──▶ admission, before it takes
//! queues: depth / rate                 ─┘                            │     another order
//!                                                                    └──▶ the sweeper, before it asks
//!                                                                         for an answer again
//! ```
//!
//! A queue's depth counts deliveries, and so does the rate at which it is drained. How many messages that are is
//! known of those that have come: as many are taken to be in those that wait.
//!
//! Admission leaves payment's queues out, since a slow gateway must not close the shop, and small
//! backlogs, which pass before it could do anything about them. The sweeper counts both: a command that
//! waits in a queue is not answered sooner for being sent twice.

use super::consumer_handle::ConsumerHandle;
use super::journal::JournalHealth;
use super::relay::RelayBacklog;
use super::tree::Node;
use crate::ports::{Broker, Depth, Health};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Queue, QueueKind};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How often rates are measured.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// How many measurements an excuse holds. What has piled up passes several queues in turn, each of which
/// looks empty until the one before it moves.
const EXCUSES: usize = 15;

/// A rate is known for this long after something was last done. Afterwards it says nothing of how long the rest
/// takes; only how long nothing has moved is known.
const RATE_KNOWN: Duration = Duration::from_secs(3);

/// Below this many open messages there is no backlog for admission, whatever the rate.
const BACKLOG_MIN: f64 = 500.0;

/// The broker says within this time how full its queues are, or it is not known.
const DEPTHS_WITHIN: Duration = Duration::from_secs(5);

/// The lag of work that stands still, in milliseconds: a day, longer than anybody waits.
const FOR_EVER_MS: u64 = 24 * 3600 * 1_000;

/// How far behind it is, as it was last measured.
#[derive(Debug, Default)]
pub struct Lag {
    relay_ms: AtomicU64,
    queue_ms: AtomicU64,
    answers_ms: AtomicU64,
    /// The longest of `answers_ms` of late.
    excuse_ms: AtomicU64,
    unconsumed_queues: Mutex<Vec<UnconsumedQueue>>,
}

/// A queue that counts for admission, and that nobody consumes: no process runs its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnconsumedQueue {
    /// The queue.
    pub queue: Queue,
    /// Deliveries that wait in it.
    pub ready: u64,
}

impl fmt::Display for UnconsumedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no consumer on {} ({} messages waiting)", self.queue, self.ready)
    }
}

/// Those that this process consumes are not: its consumers are on their way, as after an outage of the broker.
fn unconsumed_queues(depths: &[Depth], is_ours: impl Fn(Queue) -> bool) -> Vec<UnconsumedQueue> {
    let waits = |depth: &&Depth| depth.consumers == 0 && depth.ready > 0 && !is_ours(depth.queue);
    let unconsumed_queues = depths.iter().filter(waits);
    let counted = unconsumed_queues.filter(|depth| counts_for_admission(depth.queue));
    counted.map(|depth| UnconsumedQueue { queue: depth.queue, ready: depth.ready }).collect()
}

impl Lag {
    /// As it counts for taking more orders; the journals' waits are not in it.
    pub fn for_admission(&self) -> Duration {
        let [relay, queue] = self.by_source();
        relay.max(queue)
    }

    /// The same by what it comes from: relays, and queues.
    pub fn by_source(&self) -> [Duration; 2] {
        [&self.relay_ms, &self.queue_ms].map(|lag| Duration::from_millis(lag.load(Relaxed)))
    }

    /// The queues that nobody consumes, as they were found last.
    pub fn unconsumed_queues(&self) -> Vec<UnconsumedQueue> {
        self.unconsumed_queues.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// How long a message on its way to a service or back may wait for its turn.
    pub fn of_answers(&self) -> Duration {
        Duration::from_millis(self.answers_ms.load(Relaxed))
    }

    /// The longest that this was of late: what piled up while something stood still is worked off only
    /// after it moves again.
    pub fn recent_max(&self) -> Duration {
        Duration::from_millis(self.excuse_ms.load(Relaxed))
    }
}

/// How fast something is done.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at: Instant,
    /// When something was done last, or nothing was left to do.
    moved: Instant,
    done: u64,
    messages: u64,
    per_second: f64,
    /// Messages in one of it.
    size: f64,
}

impl Rate {
    fn new() -> Self {
        let now = Instant::now();
        Self { at: now, moved: now, done: 0, messages: 0, per_second: 0.0, size: 1.0 }
    }

    /// Takes in how much was done in all until now, in how many messages, and how much is open.
    fn measure(&mut self, done: u64, messages: u64, open: u64) -> Self {
        let seconds = self.at.elapsed().as_secs_f64().max(0.001);
        let (count, of) = (done.saturating_sub(self.done), messages.saturating_sub(self.messages));
        let latest = count as f64 / seconds;
        if count > 0 {
            self.size = (self.size + of as f64 / count as f64) / 2.0;
        }
        (self.at, self.done, self.messages) = (Instant::now(), done, messages);
        if count > 0 || open == 0 {
            self.moved = self.at;
        }
        // A service that had nothing left to do was not slow.
        if latest > self.per_second || open > 0 {
            // Half the old, half the new: a burst neither opens nor closes admission by itself.
            self.per_second =
                if self.per_second == 0.0 { latest } else { (self.per_second + latest) / 2.0 };
        }
        *self
    }

    /// The rate of so many who are as fast.
    fn times(self, many: u64) -> Self {
        Self { per_second: self.per_second * many as f64, ..self }
    }

    /// How far behind so much is, in milliseconds: how long it takes at this rate, or how long nothing has moved
    /// where there is no rate.
    fn lag_ms(&self, open: u64) -> u64 {
        let still = self.moved.elapsed();
        match open {
            0 => 0,
            _ if self.per_second == 0.0 || still >= RATE_KNOWN => still.as_millis() as u64,
            _ => (open as f64 * 1_000.0 / self.per_second.max(1.0)) as u64,
        }
    }

    /// The same as admission sees it.
    fn backlog_ms(&self, open: u64) -> u64 {
        if open as f64 * self.size < BACKLOG_MIN { 0 } else { self.lag_ms(open) }
    }
}

/// The parts of a lag meter.
pub struct LagMeterParts {
    /// Where it writes what it has measured.
    pub lag: Arc<Lag>,
    /// The journals.
    pub journals: Vec<Arc<JournalHealth>>,
    /// The relays whose messages count for admission.
    pub admission_backlogs: Vec<Arc<RelayBacklog>>,
    /// All relays.
    pub backlogs: Vec<Arc<RelayBacklog>>,
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHandle>,
    /// Is asked how full the queues are.
    pub broker: Arc<dyn Broker>,
    /// Its entry in the tree.
    pub node: Arc<Node>,
}

/// The actor that measures. One a process.
pub struct LagMeter(pub Arc<LagMeterParts>);

/// The message of a lag meter to itself: measure.
#[derive(Clone, Copy, Debug)]
pub struct Measure;

/// The rates, from one measurement to the next.
pub struct Rates {
    admission_backlogs: Rate,
    backlogs: Rate,
    /// One for each consumer.
    consumers: Vec<Rate>,
    /// The rate of all answers of the services.
    answers: Rate,
    /// The latest lags of answers, in milliseconds.
    late: VecDeque<u64>,
}

impl Actor for LagMeter {
    type Msg = Measure;
    type State = Rates;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Measure>,
        (): (),
    ) -> Result<Rates, ActorProcessingErr> {
        self.0.node.running();
        myself.send_after(MEASURE_EVERY, || Measure);
        Ok(Rates {
            admission_backlogs: Rate::new(),
            backlogs: Rate::new(),
            consumers: self.0.consumers.iter().map(|_| Rate::new()).collect(),
            answers: Rate::new(),
            late: VecDeque::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Measure>,
        Measure: Measure,
        rates: &mut Rates,
    ) -> Result<(), ActorProcessingErr> {
        self.0.node.queued();
        self.measure(rates).await;
        myself.send_after(MEASURE_EVERY, || Measure);
        self.0.node.handled();
        Ok(())
    }
}

impl LagMeter {
    async fn measure(&self, rates: &mut Rates) {
        let LagMeterParts { lag, admission_backlogs, backlogs, broker, .. } = &*self.0;
        let depths = tokio::time::timeout(DEPTHS_WITHIN, broker.depths()).await;
        // Where the broker is away, what it holds is not known; what waits for it is.
        let depths = depths.ok().and_then(Result::ok).unwrap_or_default();
        let is_ours = |queue| self.0.consumers.iter().any(|consumer| consumer.queue() == queue);
        *lag.unconsumed_queues.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) =
            unconsumed_queues(&depths, is_ours);
        let (open, rate) = measured(&mut rates.admission_backlogs, admission_backlogs);
        let (door, answers) = self.queues(rates, &depths);
        lag.relay_ms.store(rate.backlog_ms(open), Relaxed);
        lag.queue_ms.store(door, Relaxed);
        let (open, rate) = measured(&mut rates.backlogs, backlogs);
        let answers = answers.max(rate.lag_ms(open)).max(self.stopped_ms());
        lag.answers_ms.store(answers, Relaxed);
        rates.late.truncate(EXCUSES - 1);
        rates.late.push_front(answers);
        lag.excuse_ms.store(rates.late.iter().copied().max().unwrap_or(0), Relaxed);
    }

    /// How long the queues' messages wait: those that count for admission, and those of orders.
    fn queues(&self, rates: &mut Rates, depths: &[Depth]) -> (u64, u64) {
        let depth_of = |queue: Queue| depths.iter().find(|depth| depth.queue == queue);
        let mut speeds: BTreeMap<Queue, (Rate, u64)> = BTreeMap::new();
        let (mut answered, mut answers, mut unobserved) = (0, 0, 0);
        for (consumer, rate) in self.0.consumers.iter().zip(&mut rates.consumers) {
            let (queue, settled, messages) =
                (consumer.queue(), consumer.settled(), consumer.messages());
            let ready = depth_of(queue).map_or(0, |depth| depth.ready);
            let taken = consumer.open() as u64;
            speeds.insert(queue, (rate.measure(settled, messages, ready + taken), taken));
            if queue.service() == ServiceName::Order {
                (answered, answers) = (answered + settled, answers + messages);
                unobserved += ready;
            }
        }
        let commanded = depths.iter().filter(|depth| carries_orders(depth.queue));
        let waiting = commanded.map(|depth| depth.ready).sum::<u64>();
        let of_answers = rates.answers.measure(answered, answers, waiting.max(unobserved));
        let (mut door, mut late) = (0, 0);
        for depth in depths {
            let consumers = depth.consumers.max(1);
            let (rate, taken) = match speeds.get(&depth.queue) {
                // Other processes' consumers are taken to be as fast, and as full, as this one's.
                Some((rate, taken)) => (rate.times(consumers), taken * consumers),
                // Only others consume it: it is taken to be as fast as answers come in.
                None => (of_answers, 0),
            };
            let open = depth.ready + taken;
            if counts_for_admission(depth.queue) {
                door = door.max(rate.backlog_ms(open));
            }
            if carries_orders(depth.queue) {
                late = late.max(rate.lag_ms(open));
            }
        }
        (door, late)
    }

    /// How long what stands still is taken to last, if anything that orders need does.
    fn stopped_ms(&self) -> u64 {
        let LagMeterParts { journals, broker, .. } = &*self.0;
        let needed = |health: &&Arc<JournalHealth>| {
            EXCLUDED_FROM_ADMISSION.iter().all(|service| service.as_str() != health.service())
        };
        let mut needed = journals.iter().filter(needed);
        if broker.health() != Health::Connected || needed.any(|health| health.is_down()) {
            FOR_EVER_MS
        } else {
            0
        }
    }
}

/// The services that orders do not wait for.
const EXCLUDED_FROM_ADMISSION: [ServiceName; 2] = [ServiceName::Notification, ServiceName::Audit];

fn carries_orders(queue: Queue) -> bool {
    queue.kind() == QueueKind::Quorum && !EXCLUDED_FROM_ADMISSION.contains(&queue.service())
}

fn counts_for_admission(queue: Queue) -> bool {
    queue.kind() == QueueKind::Quorum && queue.service() != ServiceName::Payment
}

/// How many messages of these relays are open, and at what rate they are taken.
fn measured(rate: &mut Rate, backlogs: &[Arc<RelayBacklog>]) -> (u64, Rate) {
    let settled = backlogs.iter().map(|backlog| backlog.settled.load(Relaxed)).sum();
    let open = backlogs.iter().map(|backlog| backlog.open()).sum();
    (open, rate.measure(settled, settled, open))
}

#[cfg(test)]
mod tests;
