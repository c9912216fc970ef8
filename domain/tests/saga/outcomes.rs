//! A recorded table of outcomes: a change of structure must not change what a saga does.
//!
//! `outcomes.txt` has a digest for each flow, plan, refused step and way of exploring. A digest covers, after each input,
//! everything that is visible: the reply, the statuses, the step, the deadline, the history rows, the messages, and at
//! rest what is published again and what reconciliation expects. The facts are left out: their form may change.
//!
//! - `ordered`: every order of arrival, with at most one disturbance (a repeat, a loss, a cancellation, a wait, a retry,
//!   or an answer that no service should give) at every place.
//! - `random`: long histories with many disturbances, from fixed seeds.
//!
//! After an intended change, write the table anew with `OUTCOMES_WRITE=1`. To find a difference, let the old and the new
//! code write all outcomes with `OUTCOMES_DUMP=<directory>`, and compare the files.

use crate::bench::{Bench, Has, WAYS, Way, answer};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Body, Flow, Message, Plan, Queue, Route, queues_for, route};
use ordermill_domain::order::Step;
use ordermill_domain::order::decide::DecideInput;
use ordermill_domain::order::republish::republish;
use ordermill_domain::reconciliation::{AuditRecord, NotificationRecord, OrderRecord};
use ordermill_domain::reconciliation::{OrderSides, Side, compare_order};
use std::collections::HashSet;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

const STEPS: [Step; 3] = [Step::Inventory, Step::Payment, Step::Shipping];

/// The next event of an order.
#[derive(Clone, Debug)]
enum Event {
    /// The message of the bag arrives; it stays in the bag when true.
    Arrives(usize, bool),
    /// The message of the bag is lost.
    Lost(usize),
    Cancel,
    Dispatch,
    Deliver,
    Retry,
    Wait,
    /// An answer that no service of the bench gives in this state.
    Forged(Arc<Message>),
}

/// Every answer of the services that reaches the saga in its flow.
fn forged(bench: &Bench) -> Vec<Event> {
    let all = [Has::Nothing, Has::Done, Has::Refused, Has::Undone, Has::Gone, Has::Arrived];
    let answers = STEPS.into_iter().flat_map(|step| all.map(|has| answer(step, has)));
    let mut kinds = HashSet::new();
    let new = answers.filter(|payload| kinds.insert(payload.kind()));
    let messages = new.map(|payload| Message::new(&bench.saga.origin, payload, 0, bench.now));
    messages.filter(reaches_order).map(Event::Forged).collect()
}

fn reaches_order(message: &Arc<Message>) -> bool {
    let Route::To(exchange) = route(message) else { return false };
    let queues = queues_for(exchange, &Body::One(message.clone()));
    queues.iter().any(|queue| queue.service() == ServiceName::Order)
}

/// The events that an undisturbed order may see next: an arrival; at rest, the customer's requests.
fn ordinary(bench: &Bench) -> Vec<Event> {
    if bench.rests() {
        return vec![Event::Dispatch, Event::Deliver];
    }
    (0..bench.bag.len()).map(|index| Event::Arrives(index, false)).collect()
}

/// The events that disturb an order.
fn disturbing(bench: &Bench) -> Vec<Event> {
    let repeats = (0..bench.bag.len()).map(|index| Event::Arrives(index, true));
    let losses = (0..bench.bag.len()).map(Event::Lost);
    let requests = [Event::Cancel, Event::Dispatch, Event::Deliver, Event::Retry, Event::Wait];
    repeats.chain(losses).chain(requests).chain(forged(bench)).collect()
}

/// An order, and the inputs that changed its saga.
#[derive(Clone)]
struct Explored {
    bench: Bench,
    inputs: String,
    seen: (usize, usize),
}

impl Explored {
    fn new(way: Way, refuse: Option<Step>) -> Self {
        Self { bench: Bench::new(way, refuse), inputs: String::new(), seen: (0, 0) }
    }

    /// Lets it happen. None: the saga is not concerned.
    fn take(&mut self, event: &Event) -> Option<String> {
        let heard = |queue: Queue| queue.service() == ServiceName::Order;
        let bench = &mut self.bench;
        let version = bench.saga.version;
        let mut name = format!("{event:?}").to_lowercase();
        let mut concerned = true;
        let accepted = match event {
            Event::Arrives(index, twice) => {
                let (queue, message) = &bench.bag[*index];
                concerned = heard(*queue);
                name = message.kind().to_string();
                bench.deliver(*index, *twice);
                true
            }
            Event::Lost(index) => {
                bench.bag.remove(*index);
                concerned = false;
                true
            }
            Event::Cancel => bench.tell(DecideInput::Cancel),
            Event::Dispatch => bench.tell(DecideInput::Dispatch),
            Event::Deliver => bench.tell(DecideInput::Deliver),
            Event::Retry => bench.tell(DecideInput::Retry),
            Event::Wait => {
                bench.wait();
                true
            }
            Event::Forged(message) => {
                name = format!("forged {}", message.kind());
                bench.tell(DecideInput::Message(message.clone()))
            }
        };
        if !concerned {
            return None;
        }
        if bench.saga.version != version {
            write!(self.inputs, "{name} {}, ", bench.now).expect("a string takes everything");
        }
        Some(self.outcome(&name, accepted))
    }

    /// Everything that is visible since the last outcome.
    fn outcome(&mut self, input: &str, accepted: bool) -> String {
        let Self { bench, seen, .. } = self;
        let saga = &bench.saga;
        let (status, saga_status) = (saga.status().as_str(), saga.saga_status().as_str());
        let mut text = format!(
            "{input} {accepted}: {status} {saga_status} {} v{} due {:?} sent {:?}\n",
            saga.step(),
            saga.version,
            saga.due_at,
            saga.sending
        );
        for row in &bench.history[seen.0..] {
            let (status, saga_status) = (row.status.as_str(), row.saga_status.as_str());
            let row = (row.sequence, row.at, &row.cause, status, saga_status, &row.step);
            writeln!(text, "  row {row:?}").expect("a string takes everything");
        }
        for message in &bench.said[seen.1..] {
            writeln!(text, "  says {}", message.json()).expect("a string takes everything");
        }
        *seen = (bench.history.len(), bench.said.len());
        if saga.is_at_rest() {
            for message in republish(saga) {
                let (kind, at) = (message.kind(), message.occurred_at);
                writeln!(text, "  again {kind} {at}").expect("a string takes everything");
            }
            let sides = OrderSides {
                order: Side::Says(OrderRecord::from(saga)),
                audit: Side::Says(AuditRecord::default()),
                notifications: Side::Says(NotificationRecord::default()),
                ..OrderSides::new(saga.order_id())
            };
            for disagreement in compare_order(&sides).disagreements {
                writeln!(text, "  expects {disagreement}").expect("a string takes everything");
            }
        }
        text
    }

    /// The same for two orders if everything that follows is the same.
    fn key(&self, disturbed: bool) -> u64 {
        let mut bag: Vec<_> = self.bench.bag.iter().map(|(q, m)| (*q, m.event_id)).collect();
        bag.sort_unstable();
        let mut hasher = DefaultHasher::new();
        let has = self.bench.has.map(|has| has as u8);
        (&self.inputs, bag, has, disturbed).hash(&mut hasher);
        hasher.finish()
    }
}

/// Every order of arrival from here, with at most one disturbance if it is not disturbed yet.
fn ordered(order: &Explored, disturbed: bool, known: &mut HashSet<u64>, outcomes: &mut Outcomes) {
    if !known.insert(order.key(disturbed)) {
        return;
    }
    let next = |event: &Event, disturbed, known: &mut _, outcomes: &mut Outcomes| {
        let mut order = order.clone();
        if let Some(outcome) = order.take(event) {
            outcomes.add(&outcome);
        }
        ordered(&order, disturbed, known, outcomes);
    };
    for event in ordinary(&order.bench) {
        next(&event, disturbed, known, outcomes);
    }
    if !disturbed {
        for event in disturbing(&order.bench) {
            next(&event, true, known, outcomes);
        }
    }
}

/// How many random histories there are for each flow, plan and refused step, and how long they are.
const RANDOM: (u64, usize) = (60, 40);

fn random(way: Way, refuse: Option<Step>, outcomes: &mut Outcomes) {
    for seed in 0..RANDOM.0 {
        let mut order = Explored::new(way, refuse);
        let mut state = seed;
        // Knuth's generator: the same numbers everywhere.
        let mut below = |limit: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        for _ in 0..RANDOM.1 {
            let ordinary = ordinary(&order.bench);
            let events = match below(4) {
                0 => disturbing(&order.bench),
                _ if ordinary.is_empty() => vec![Event::Wait],
                _ => ordinary,
            };
            if let Some(outcome) = order.take(&events[below(events.len())]) {
                outcomes.add(&outcome);
            }
        }
    }
}

/// Outcomes, as far as they are kept: their number and their digest.
struct Outcomes {
    count: u64,
    digest: u64,
    dump: Option<String>,
}

impl Outcomes {
    fn new() -> Self {
        let dump = std::env::var_os("OUTCOMES_DUMP").map(|_| String::new());
        Self { count: 0, digest: 0xcbf2_9ce4_8422_2325, dump }
    }

    fn add(&mut self, outcome: &str) {
        self.count += 1;
        // FNV-1a: the same digest with every compiler.
        for byte in outcome.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(dump) = &mut self.dump {
            dump.push_str(outcome);
        }
    }

    fn line(self, name: &str) -> String {
        if let (Some(text), Some(directory)) = (self.dump, std::env::var_os("OUTCOMES_DUMP")) {
            let file = Path::new(&directory).join(name.replace(' ', "-"));
            std::fs::write(file, text).expect("OUTCOMES_DUMP is a directory");
        }
        format!("{name} {} {:016x}\n", self.count, self.digest)
    }
}

fn name((flow, plan): Way, refuse: Option<Step>) -> String {
    let flow = match flow {
        Flow::Orchestrated => "orchestrated",
        Flow::Choreographed => "choreographed",
    };
    let plan = match plan {
        Plan::ReserveFirst => "reserve-first",
        Plan::PaymentFirst => "payment-first",
    };
    format!("{flow} {plan} {}", refuse.map_or("none", Step::as_str))
}

#[test]
fn every_order_of_arrival_has_its_recorded_outcome() {
    let mut lines = String::new();
    for way in WAYS {
        for refuse in [None, Some(Step::Inventory), Some(Step::Payment), Some(Step::Shipping)] {
            let name = name(way, refuse);
            let mut outcomes = Outcomes::new();
            ordered(&Explored::new(way, refuse), false, &mut HashSet::new(), &mut outcomes);
            lines.push_str(&outcomes.line(&format!("{name} ordered")));
            let mut outcomes = Outcomes::new();
            random(way, refuse, &mut outcomes);
            lines.push_str(&outcomes.line(&format!("{name} random")));
        }
    }
    if std::env::var_os("OUTCOMES_WRITE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/saga/outcomes.txt");
        std::fs::write(file, &lines).expect("the table can be written");
        return;
    }
    let recorded = include_str!("outcomes.txt");
    for (line, recorded) in lines.lines().zip(recorded.lines()) {
        assert_eq!(line, recorded, "flow, plan, refused step, exploration, outcomes, digest");
    }
    assert_eq!(lines.lines().count(), recorded.lines().count());
}
