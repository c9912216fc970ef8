//! The bench: one order, three imaginary services, a bag of deliveries, and a clock.
//!
//! Messages reach whoever the topology says they reach; what a service takes a message for is its own
//! mapping. Only what it then does and answers is imagined.

use chrono::{DateTime, Utc};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId, ServiceName};
use ordermill_domain::inventory::Change;
use ordermill_domain::messages::{
    Body, Contact, Flow, InventoryMessage, Kind, Line, Message, OrderDetails, Origin, Payload,
    PaymentApproved, PaymentMessage, Plan, Priority, Queue, Refusal, Route, ShipmentScheduled,
    ShippingMessage, queues_for, route,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::order::decide::{DecideInput, decide};
use ordermill_domain::order::decision::SagaDecision;
use ordermill_domain::order::facts::{Fact, Facts};
use ordermill_domain::order::record::{postpone, record, resend, touch};
use ordermill_domain::order::{HistoryRow, OrderStatus, Saga, SagaPolicy, SagaStatus, Step};
use ordermill_domain::shipping::Command;
use ordermill_domain::{inventory, payment, shipping};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The state of an order in an imaginary service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// It has not heard of it.
    Nothing,
    /// It did its step.
    Done,
    /// It refused.
    Refused,
    /// It undid it, or will never do it.
    Undone,
    /// Shipping: it left. Inventory: the stock left.
    Gone,
    /// Shipping: it arrived.
    Arrived,
}

/// One order and its world.
#[derive(Clone)]
pub struct Bench {
    pub saga: Saga,
    pub history: Vec<HistoryRow>,
    pub bag: Vec<(Queue, Arc<Message>)>,
    pub said: Vec<Arc<Message>>,
    pub has: [Has; 3],
    /// The origin of payment's first message.
    paid_for: Option<Origin>,
    pub refuse: Option<Step>,
    pub now: Timestamp,
    /// How far behind the system is, when the saga is looked at.
    pub lag: Duration,
    pub policy: SagaPolicy,
}

/// How an order goes.
pub type Way = (Flow, Plan);

pub const RESERVE_FIRST: Way = (Flow::Orchestrated, Plan::ReserveFirst);
pub const PAYMENT_FIRST: Way = (Flow::Orchestrated, Plan::PaymentFirst);
pub const CHOREOGRAPHED: Way = (Flow::Choreographed, Plan::PaymentFirst);

/// Every way there is.
pub const WAYS: [Way; 3] = [RESERVE_FIRST, PAYMENT_FIRST, CHOREOGRAPHED];

fn details() -> OrderDetails {
    OrderDetails {
        customer_id: "anna".to_owned(),
        payment_method: "credit_card".to_owned(),
        currency: Currency::USD,
        lines: vec![Line {
            product_id: ProductId::from("MUG"),
            quantity: 2,
            unit_price_minor: Some(4990),
            amount_minor: 9980,
        }],
        total_minor: 9980,
        contact: Contact::default(),
        address: None,
        priority: Priority::Standard,
    }
}

impl Bench {
    /// A new order; one step may be refused.
    pub fn new((flow, plan): Way, refuse: Option<Step>) -> Self {
        let now = DateTime::<Utc>::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut bench = Self {
            saga: Saga::placed(
                Origin::new(OrderId(Uuid::from_u128(7)), flow, plan),
                Arc::new(details()),
                now,
            ),
            history: Vec::new(),
            bag: Vec::new(),
            said: Vec::new(),
            has: [Has::Nothing; 3],
            paid_for: None,
            refuse,
            now,
            lag: Duration::ZERO,
            policy: SagaPolicy { dispatch_after: None, ..SagaPolicy::default() },
        };
        bench.learn(vec![Fact::Placed], "customer");
        bench
    }

    fn learn(&mut self, facts: Vec<Fact>, cause: &str) {
        let recorded = record(&mut self.saga, facts, cause, self.now, &self.policy);
        self.history.extend(recorded.history);
        self.say(recorded.messages);
    }

    fn say(&mut self, messages: Vec<Arc<Message>>) {
        for message in messages {
            if let Route::To(exchange) = route(&message) {
                let queues = queues_for(exchange, &Body::One(message.clone()));
                assert!(!queues.is_empty(), "nobody hears {message:?}");
                self.bag.extend(queues.into_iter().map(|queue| (queue, message.clone())));
            }
            self.said.push(message);
        }
    }

    /// Tells the saga something; false when it conflicts.
    pub fn tell(&mut self, input: DecideInput) -> bool {
        if matches!(input, DecideInput::Due { .. }) {
            self.saga.due_at = None;
        }
        match decide(&self.saga, &input, self.now, &self.policy) {
            SagaDecision::Known => {
                if matches!(input, DecideInput::Due { .. }) {
                    touch(&mut self.saga, self.now, &self.policy);
                }
            }
            SagaDecision::Conflict(_) => return false,
            SagaDecision::Postponed => postpone(&mut self.saga, self.now, &self.policy),
            SagaDecision::Learned(facts) => self.learn(facts, "told"),
            SagaDecision::Resend(facts) => {
                if !facts.is_empty() {
                    self.learn(facts, "told");
                }
                let messages = resend(&mut self.saga, self.now, &self.policy);
                self.say(messages);
            }
        }
        true
    }

    /// Delivers the message at `index` of the bag; it stays in the bag when it is to come twice.
    pub fn deliver(&mut self, index: usize, twice: bool) {
        let (queue, message) = if twice { self.bag[index].clone() } else { self.bag.remove(index) };
        if queue.service() == ServiceName::Order {
            self.tell(DecideInput::Message(message));
        } else {
            let (command, origin) = taken_for(queue.service(), &message);
            let answer = self.serve(command, origin);
            self.say(vec![answer]);
        }
    }

    /// Delivers what is not for the order, until only that is left.
    pub fn run_services(&mut self) {
        let theirs = |(queue, _): &(Queue, _)| queue.service() != ServiceName::Order;
        while let Some(index) = self.bag.iter().position(theirs) {
            self.deliver(index, false);
        }
    }

    /// Delivers everything, oldest first, until nothing is left.
    pub fn run(&mut self) {
        while !self.bag.is_empty() {
            self.deliver(0, false);
        }
    }

    /// Lets time pass until the saga is due, and looks at it.
    pub fn wait(&mut self) {
        if let Some(due) = self.saga.due_at {
            self.now = self.now.max(due);
            self.tell(DecideInput::Due { lag: self.lag });
        }
    }

    /// Answers a command as our services promise to: by the latest outcome, an undo by the undo's event.
    fn serve(&mut self, command: Kind, origin: Origin) -> Arc<Message> {
        let (step, forward) = match command {
            Kind::InventoryReserve => (Step::Inventory, true),
            Kind::InventoryRelease | Kind::InventoryCommit => (Step::Inventory, false),
            Kind::PaymentProcess => (Step::Payment, true),
            Kind::PaymentRefund => (Step::Payment, false),
            Kind::ShippingSchedule => (Step::Shipping, true),
            _ => (Step::Shipping, false),
        };
        let refuse = self.refuse == Some(step);
        let has = &mut self.has[step as usize];
        *has = match (*has, command) {
            (Has::Nothing, _) if forward && refuse => Has::Refused,
            (Has::Nothing, _) if forward => Has::Done,
            (Has::Done, Kind::InventoryCommit | Kind::ShippingDispatch) => Has::Gone,
            (Has::Gone, Kind::ShippingDeliver) => Has::Arrived,
            (
                Has::Nothing | Has::Done | Has::Refused,
                Kind::InventoryRelease | Kind::PaymentRefund | Kind::ShippingCancel,
            ) => Has::Undone,
            (same, _) => same,
        };
        let payload = answer(step, *has);
        let origin = match step {
            Step::Payment => self.paid_for.get_or_insert(origin).clone(),
            _ => origin,
        };
        let carries_on = matches!(
            payload,
            Payload::Payment(PaymentMessage::Approved(_))
                | Payload::Inventory(InventoryMessage::Reserved(_))
        );
        let origin = if carries_on { origin } else { origin.slim() };
        Message::new(&origin, payload, 0, self.now)
    }

    /// True when nothing is left to happen by itself.
    pub fn rests(&self) -> bool {
        self.bag.is_empty() && self.saga.is_at_rest()
    }

    /// Checks an order that rests: it is wholly done or wholly undone, its statuses say so,
    /// and its history tells the way.
    pub fn assert_sound(&self) {
        let (status, saga_status) = (self.saga.status(), self.saga.saga_status());
        let held = |has: Has| matches!(has, Has::Done | Has::Gone | Has::Arrived);
        match status {
            OrderStatus::Cancelled => {
                assert_eq!(saga_status, SagaStatus::Compensated);
                assert!(!self.has.into_iter().any(held), "left behind: {:?}", self.has);
                assert!(self.saga.facts.failure().is_some());
            }
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed => {
                assert_eq!(saga_status, SagaStatus::Completed);
                assert!(self.has.into_iter().all(held), "not all done: {:?}", self.has);
            }
            other => panic!("no rest: {other:?} with {:?}", self.saga.facts),
        }
        assert_eq!(self.saga.step(), "DONE");
        self.assert_history();
        self.assert_no_false_alarm();
    }

    /// Nothing that came was taken for impossible: where it is stuck, it only took too long.
    pub fn assert_no_false_alarm(&self) {
        for fact in self.history.iter().flat_map(|row| &row.facts) {
            if let Fact::Stuck { reason } = fact {
                assert!(reason.contains("has not completed within"), "{reason}");
            }
        }
    }

    /// The history is numbered without gaps, and its facts give the saga again.
    pub fn assert_history(&self) {
        let mut facts = Facts::default();
        for (index, row) in self.history.iter().enumerate() {
            assert_eq!(row.sequence as usize, index);
            row.facts
                .iter()
                .for_each(|fact| facts.apply(fact, row.at).expect("a recorded fact fits"));
        }
        assert_eq!(facts, self.saga.facts);
        for step in [Step::Inventory, Step::Payment, Step::Shipping] {
            let known = facts.step(step);
            assert!(
                known.is_sent() || !known.is_done() && !known.is_refused(),
                "answered, so asked: {step:?}"
            );
        }
        let last = self.history.last().expect("an order has a history");
        assert_eq!((last.status, last.saga_status), (self.saga.status(), self.saga.saga_status()));
    }

    /// The statuses passed through, each once in a row.
    pub fn statuses(&self) -> Vec<&'static str> {
        let mut statuses: Vec<_> = self.history.iter().map(|row| row.status.as_str()).collect();
        statuses.dedup();
        statuses
    }
}

/// The command that a service takes a message for, by its own mapping.
fn taken_for(service: ServiceName, message: &Message) -> (Kind, Origin) {
    match service {
        ServiceName::Payment => match payment::input(message).expect("payment has a use for it") {
            payment::PaymentInput::Process(origin, _) => (Kind::PaymentProcess, origin),
            payment::PaymentInput::Undo(origin) => (Kind::PaymentRefund, origin),
            other => panic!("no message asks for {other:?}"),
        },
        ServiceName::Inventory => match inventory::change(message).expect("inventory has a use") {
            Change::Reserve { origin, .. } => (Kind::InventoryReserve, origin),
            Change::Release { origin } => (Kind::InventoryRelease, origin),
            Change::Commit { origin } => (Kind::InventoryCommit, origin),
            other => panic!("no message asks for {other:?}"),
        },
        ServiceName::Shipping => {
            let change = shipping::change(message).expect("shipping has a use for it");
            let kind = match change.command {
                Command::Schedule(_) => Kind::ShippingSchedule,
                Command::Cancel => Kind::ShippingCancel,
                Command::Dispatch => Kind::ShippingDispatch,
                Command::Deliver => Kind::ShippingDeliver,
            };
            (kind, change.origin)
        }
        other => panic!("{other} takes no part in an order"),
    }
}

/// The answer of a service that has the order in this state.
pub fn answer(step: Step, has: Has) -> Payload {
    match (step, has) {
        (Step::Inventory, Has::Done) => Payload::Inventory(InventoryMessage::Reserved(Vec::new())),
        (Step::Inventory, Has::Refused) => {
            Payload::Inventory(InventoryMessage::Failed(Refusal::because("insufficient_stock")))
        }
        (Step::Inventory, Has::Gone | Has::Arrived) => {
            Payload::Inventory(InventoryMessage::Committed)
        }
        (Step::Inventory, Has::Undone | Has::Nothing) => {
            Payload::Inventory(InventoryMessage::Released)
        }
        (Step::Payment, Has::Done | Has::Gone | Has::Arrived) => {
            Payload::Payment(PaymentMessage::Approved(PaymentApproved {
                total: Money { minor: 9980, currency: Currency::USD },
                transaction_id: "tx".to_owned(),
            }))
        }
        (Step::Payment, Has::Refused) => {
            Payload::Payment(PaymentMessage::Failed(Refusal::because("declined")))
        }
        (Step::Payment, Has::Undone | Has::Nothing) => Payload::Payment(PaymentMessage::Reversed),
        (Step::Shipping, Has::Done) => {
            Payload::Shipping(ShippingMessage::Scheduled(ShipmentScheduled {
                tracking_code: "TRK-00000000".to_owned(),
                freight: Money { minor: 800, currency: Currency::USD },
                estimated_delivery: DateTime::<Utc>::UNIX_EPOCH,
            }))
        }
        (Step::Shipping, Has::Gone) => Payload::Shipping(ShippingMessage::Dispatched),
        (Step::Shipping, Has::Arrived) => Payload::Shipping(ShippingMessage::Delivered),
        (Step::Shipping, Has::Refused | Has::Undone | Has::Nothing) => {
            Payload::Shipping(ShippingMessage::Failed(Refusal::because("carrier_failed")))
        }
        (Step::Dispatch | Step::Commit | Step::Delivery, _) => {
            unreachable!("the bench answers by the service's step of the plan")
        }
    }
}
