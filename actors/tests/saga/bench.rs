//! The bench: one order, three imaginary services, a bag of messages, and a clock.

use chrono::{DateTime, Utc};
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::{OrderId, ProductId};
use ordermill_actors::messages::{
    Contact, Flow, Kind, Line, Message, OrderDetails, Origin, Payload, PaymentApproved, Plan,
    Priority, Refusal, ShipmentScheduled, Step,
};
use ordermill_actors::money::{Currency, Money};
use ordermill_actors::order::decide::{Told, Verdict, decide};
use ordermill_actors::order::facts::{Fact, Facts};
use ordermill_actors::order::record::{record, resend, touch};
use ordermill_actors::order::{HistoryRow, OrderStatus, Saga, SagaPolicy, SagaStatus};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What an imaginary service has for the order.
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
pub struct Bench {
    pub saga: Saga,
    pub history: Vec<HistoryRow>,
    pub bag: Vec<Arc<Message>>,
    pub said: Vec<Arc<Message>>,
    pub has: [Has; 3],
    pub refuse: Option<Step>,
    pub now: Timestamp,
    pub policy: SagaPolicy,
}

pub fn origin(plan: Plan) -> Origin {
    Origin {
        order_id: OrderId(Uuid::from_u128(7)),
        flow: Flow::Orchestrated,
        plan,
        request_id: None,
        traceparent: None,
        order: None,
    }
}

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
    pub fn new(plan: Plan, refuse: Option<Step>) -> Self {
        let now = DateTime::<Utc>::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut bench = Self {
            saga: Saga::placed(origin(plan), Arc::new(details()), now),
            history: Vec::new(),
            bag: Vec::new(),
            said: Vec::new(),
            has: [Has::Nothing; 3],
            refuse,
            now,
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
        self.said.extend(messages.iter().cloned());
        self.bag.extend(messages.into_iter().filter(|message| !message.kind().is_event()));
    }

    /// Tells the saga something; false when it conflicts.
    pub fn tell(&mut self, told: Told<'_>) -> bool {
        match decide(&self.saga, told, self.now, &self.policy) {
            Verdict::Known => {
                if matches!(told, Told::Due) {
                    touch(&mut self.saga, self.now, &self.policy);
                }
            }
            Verdict::Conflict(_) => return false,
            Verdict::Learned(facts) => self.learn(facts, "told"),
            Verdict::Resend(facts) => {
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
        let message = if twice { self.bag[index].clone() } else { self.bag.remove(index) };
        if message.kind().is_event() {
            self.tell(Told::Message(&message));
        } else {
            let answer = self.serve(message.kind());
            self.bag.push(Message::new(&self.saga.origin.clone(), answer, 0, self.now));
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
            self.tell(Told::Due);
        }
    }

    /// Answers a command as our services promise to: by the latest outcome, an undo by the undo's event.
    fn serve(&mut self, command: Kind) -> Payload {
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
        answer(step, *has)
    }

    /// True when nothing is left to happen by itself.
    pub fn rests(&self) -> bool {
        self.bag.is_empty() && self.saga.is_at_rest()
    }

    /// What must hold of any order that rests: it is wholly done or wholly undone, its names say so,
    /// and its history tells the way.
    pub fn assert_sound(&self) {
        let (status, saga_status) = (self.saga.status(), self.saga.saga_status());
        let held = |has: Has| matches!(has, Has::Done | Has::Gone | Has::Arrived);
        match status {
            OrderStatus::Cancelled => {
                assert_eq!(saga_status, SagaStatus::Compensated);
                assert!(!self.has.into_iter().any(held), "left behind: {:?}", self.has);
                assert!(self.saga.facts.failure.is_some());
            }
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed => {
                assert_eq!(saga_status, SagaStatus::Completed);
                assert!(self.has.into_iter().all(held), "not all done: {:?}", self.has);
            }
            other => panic!("no rest: {other:?} with {:?}", self.saga.facts),
        }
        assert_eq!(self.saga.step(), "DONE");
        self.assert_history();
    }

    /// The history is numbered without gaps, and its facts give the saga again.
    pub fn assert_history(&self) {
        let mut facts = Facts::default();
        for (index, row) in self.history.iter().enumerate() {
            assert_eq!(row.sequence as usize, index);
            row.facts.iter().for_each(|fact| facts.apply(fact, row.at));
        }
        assert_eq!(facts, self.saga.facts);
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

fn answer(step: Step, has: Has) -> Payload {
    match (step, has) {
        (Step::Inventory, Has::Done) => Payload::InventoryReserved(Vec::new()),
        (Step::Inventory, Has::Refused) => {
            Payload::InventoryFailed(Refusal::because("insufficient_stock"))
        }
        (Step::Inventory, Has::Gone | Has::Arrived) => Payload::InventoryCommitted,
        (Step::Inventory, Has::Undone | Has::Nothing) => Payload::InventoryReleased,
        (Step::Payment, Has::Done | Has::Gone | Has::Arrived) => {
            Payload::PaymentApproved(PaymentApproved {
                total: Money { minor: 9980, currency: Currency::USD },
                transaction_id: "tx".to_owned(),
            })
        }
        (Step::Payment, Has::Refused) => Payload::PaymentFailed(Refusal::because("declined")),
        (Step::Payment, Has::Undone | Has::Nothing) => Payload::PaymentReversed,
        (Step::Shipping, Has::Done) => Payload::ShippingScheduled(ShipmentScheduled {
            tracking_code: "TRK-00000000".to_owned(),
            freight: Money { minor: 800, currency: Currency::USD },
            estimated_delivery: DateTime::<Utc>::UNIX_EPOCH,
        }),
        (Step::Shipping, Has::Gone) => Payload::ShippingDispatched,
        (Step::Shipping, Has::Arrived) => Payload::ShippingDelivered,
        (Step::Shipping, Has::Refused | Has::Undone | Has::Nothing) => {
            Payload::ShippingFailed(Refusal::because("carrier_failed"))
        }
    }
}
