//! Any interleaving of commands, calls, answers, silence and crashes, one order at a time.

use crate::clock::Timestamp;
use crate::gateway::{Entry, EntryStatus, GatewayPolicy, GatewayResponse};
use crate::ids::OrderId;
use crate::messages::{Flow, Kind, Message, Origin, PaymentProcess, Plan};
use crate::money::{Currency, Money};
use crate::payment::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };

#[derive(Clone, Copy, Debug)]
enum Step {
    Process,
    Refund,
    Resume,
    /// A call reaches the gateway; whether it reaches it once more later is the flag.
    Arrive(usize, bool),
    /// A caller gives up; the call may arrive all the same.
    GiveUp(usize),
    /// An answer is brought; whether it is brought once more later is the flag.
    Bring(usize, bool),
    PauseElapsed(usize),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Process),
        2 => Just(Step::Refund),
        1 => Just(Step::Resume),
        5 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(i, again)| Step::Arrive(i, again)),
        2 => (0..8_usize).prop_map(Step::GiveUp),
        5 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(i, again)| Step::Bring(i, again)),
        2 => (0..8_usize).prop_map(Step::PauseElapsed),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..60)
}

#[derive(Clone)]
struct Call {
    attempt: u32,
    question: Question,
    awaited: bool,
}

struct World {
    payment: Option<Payment>,
    entry: Option<Entry>,
    calls: Vec<Call>,
    answers: Vec<GatewayAnswer>,
    rests: Vec<u32>,
    said: Vec<Arc<Message>>,
    captures: u32,
    asked: u32,
    seconds: i64,
    method: &'static str,
}

impl World {
    fn new(method: &'static str) -> Self {
        Self {
            payment: None,
            entry: None,
            calls: Vec::new(),
            answers: Vec::new(),
            rests: Vec::new(),
            said: Vec::new(),
            captures: 0,
            asked: 0,
            seconds: 0,
            method,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(self.seconds.unsigned_abs())
    }

    fn origin() -> Origin {
        let order_id = OrderId(Uuid::from_u128(7));
        Origin::new(order_id, Flow::default(), Plan::default())
    }

    fn held(&self) -> i64 {
        self.entry.as_ref().map_or(0, Entry::held_minor)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Process => {
                let (total, method) = (AMOUNT, self.method.to_owned());
                let intent = PaymentProcess {
                    total,
                    method,
                    customer_id: "c".to_owned(),
                    placed_at: Timestamp::UNIX_EPOCH,
                };
                self.decide(PaymentInput::Process(Self::origin(), intent));
            }
            Step::Refund => self.decide(PaymentInput::Refund(Self::origin())),
            Step::Resume => self.decide(PaymentInput::Resume),
            Step::Arrive(index, again) => {
                if index < self.calls.len() {
                    let call = self.calls.remove(index);
                    if again {
                        self.calls.push(Call { awaited: false, ..call.clone() });
                    }
                    self.arrive(call);
                }
            }
            Step::GiveUp(index) => {
                let call = self.calls.get_mut(index).filter(|call| call.awaited);
                if let Some(call) = call {
                    call.awaited = false;
                    let result = Err(OldGatewayError::Timeout);
                    self.answers.push(GatewayAnswer { attempt: call.attempt, result });
                }
            }
            Step::Bring(index, again) => {
                if index < self.answers.len() {
                    let answer = self.answers.remove(index);
                    if again {
                        self.answers.push(answer.clone());
                    }
                    self.decide(PaymentInput::Answered(answer));
                }
            }
            Step::PauseElapsed(index) => {
                if index < self.rests.len() {
                    let attempt = self.rests.remove(index);
                    self.decide(PaymentInput::PauseElapsed(attempt));
                }
            }
            Step::Crash => {
                self.answers.clear();
                self.rests.clear();
                self.calls.iter_mut().for_each(|call| call.awaited = false);
            }
        }
    }

    /// The gateway, by its own rules.
    fn arrive(&mut self, Call { attempt, question, awaited }: Call) {
        let at = self.at();
        let entry = self
            .entry
            .get_or_insert_with(|| Entry::new(GatewayKey::of(Self::origin().order_id), at));
        let before = entry.status;
        let said = match question {
            Question::Charge(request) => entry.charge(&request, &GatewayPolicy::default(), at),
            Question::Void(_) => entry.void(at),
            Question::Refund(_, amount) => entry.refund(amount, at),
        };
        if before != EntryStatus::Charged && entry.status == EntryStatus::Charged {
            self.captures += 1;
        }
        let result = match said {
            GatewayResponse::Charge(charge, _) => Ok(GatewayReply::Charge(charge)),
            GatewayResponse::Undone(undone) => Ok(GatewayReply::Undone(undone)),
            GatewayResponse::Nothing => Err(OldGatewayError::Timeout),
            GatewayResponse::Error(cause) => Err(OldGatewayError::Unavailable(cause.to_owned())),
        };
        if awaited {
            self.answers.push(GatewayAnswer { attempt, result });
        }
    }

    fn decide(&mut self, input: PaymentInput) {
        self.seconds += 1;
        let at = self.at();
        let policy = PaymentPolicy::default();
        let PaymentDecision { events, effects } =
            decide(self.payment.as_ref(), &input, Now { at, policy: &policy });
        for event in events {
            self.payment = Some(apply(self.payment.take(), event, at).unwrap());
        }
        for effect in effects {
            let payment = self.payment.as_ref().expect("effects are those of a payment");
            let attempt = payment.attempts;
            match effect {
                Effect::Tell => {
                    let message = payment.outcome().expect("only an outcome is told");
                    self.check_said(&message);
                    self.said.push(message);
                }
                Effect::Ask => {
                    self.asked += 1;
                    assert_eq!(self.asked, attempt, "every question has a number of its own");
                    let question = payment.question().expect("only a question is put");
                    self.calls.push(Call { attempt, question, awaited: true });
                }
                Effect::Rest(_) => self.rests.push(attempt),
            }
        }
    }

    fn check_said(&self, message: &Message) {
        match message.kind() {
            Kind::PaymentApproved => assert_eq!(self.held(), AMOUNT.minor),
            Kind::PaymentFailed => assert_eq!(self.held(), 0),
            Kind::PaymentReversed => assert_eq!(self.held(), 0, "reversed while money is held"),
            other => panic!("{other} is no outcome"),
        }
    }

    fn resting(&self) -> bool {
        self.payment.as_ref().is_none_or(|payment| payment.asking().is_none())
    }

    /// From here on everything arrives, and what was lost is taken up.
    fn quiesce(&mut self) {
        for _ in 0..40 {
            while let Some(index) = self.calls.iter().position(|call| call.awaited) {
                self.take(Step::Arrive(index, false));
            }
            while !self.answers.is_empty() {
                self.take(Step::Bring(0, false));
            }
            while !self.rests.is_empty() {
                self.take(Step::PauseElapsed(0));
            }
            if self.resting() && self.calls.iter().all(|call| !call.awaited) {
                return;
            }
            if self.calls.iter().all(|call| !call.awaited) {
                self.take(Step::Resume);
            }
        }
        panic!("it never comes to rest: {:?}", self.payment);
    }
}

fn check(method: &'static str, steps: &[Step]) {
    let mut world = World::new(method);
    let (mut processed, mut refunded) = (false, false);
    for step in steps {
        world.take(*step);
        processed |= matches!(step, Step::Process);
        refunded |= matches!(step, Step::Refund);
        assert!(world.captures <= 1);
    }
    world.quiesce();
    // Calls whose callers gave up long ago arrive at last: they change nothing any more.
    let held = world.held();
    while !world.calls.is_empty() {
        world.take(Step::Arrive(0, false));
    }
    assert_eq!(world.held(), held);
    assert!(world.captures <= 1);

    let last = world.said.last().map(|message| message.kind());
    match world.payment.as_ref().map(Payment::status) {
        None => assert!(!processed && !refunded),
        Some(PaymentStatus::Approved) => {
            assert_eq!((held, last), (AMOUNT.minor, Some(Kind::PaymentApproved)));
        }
        Some(PaymentStatus::Failed) => assert_eq!((held, last), (0, Some(Kind::PaymentFailed))),
        Some(PaymentStatus::Reversed) => {
            assert_eq!((held, last), (0, Some(Kind::PaymentReversed)));
        }
        Some(_) => unreachable!("not at rest"),
    }
    if refunded {
        assert_eq!(last, Some(Kind::PaymentReversed), "the answer to an undo is the undo's event");
    }
    if processed || refunded {
        // Asked again, it answers with its latest outcome, to the letter.
        let latest = world.said.last().unwrap().json().to_owned();
        for command in
            if refunded { vec![Step::Process, Step::Refund] } else { vec![Step::Process] }
        {
            world.take(command);
            assert_eq!(world.said.last().unwrap().json(), latest);
        }
    }
    let mut contents = HashMap::new();
    for message in &world.said {
        let json = contents.entry(message.event_id).or_insert_with(|| message.json().to_owned());
        assert_eq!(json, message.json(), "one event id, one content");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn money_is_taken_once_and_never_kept_without_being_approved(
        method in prop::sample::select(vec![
            "credit_card",
            "test_declined",
            "test_timeout_charged",
            "test_timeout_uncharged",
            "test_refund_fails",
        ]),
        steps in steps(),
    ) {
        check(method, &steps);
    }
}
