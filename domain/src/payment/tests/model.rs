//! Any interleaving of commands, requests, answers, silence, visits, notifications and crashes, one order at a time.

use super::bench::{at, origin};
use crate::clock::Timestamp;
use crate::gateway::{Entry, GatewayPolicy, LedgerAnswer, Visit};
use crate::messages::{Kind, Message, PaymentProcess};
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
    Undo,
    Resume,
    /// A request reaches the gateway; whether it reaches it once more later is the flag.
    Arrive(usize, bool),
    /// A caller gives up; the request may arrive all the same.
    GiveUp(usize),
    /// An answer is brought; whether it is brought once more later is the flag.
    Bring(usize, bool),
    PauseElapsed(usize),
    /// The customer does something at the page.
    Visit(Visit),
    /// A notification comes, and claims whatever it likes.
    Notify(i64),
    Rule(Ruling),
    /// So much is asked back; the same amount again is the same request.
    Refund(i64),
    /// Seconds pass.
    Pass(u16),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let visit = prop_oneof![
        3 => Just(Visit::Pay),
        1 => Just(Visit::Decline),
        1 => Just(Visit::Choose),
    ];
    let claim = prop_oneof![Just(0), Just(AMOUNT.minor), Just(i64::MAX)];
    let ruling = prop_oneof![Just(Ruling::Accept), Just(Ruling::Deny)];
    let step = prop_oneof![
        3 => Just(Step::Process),
        2 => Just(Step::Undo),
        1 => Just(Step::Resume),
        6 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(i, again)| Step::Arrive(i, again)),
        2 => (0..8_usize).prop_map(Step::GiveUp),
        6 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(i, again)| Step::Bring(i, again)),
        2 => (0..8_usize).prop_map(Step::PauseElapsed),
        3 => visit.prop_map(Step::Visit),
        2 => claim.prop_map(Step::Notify),
        1 => ruling.prop_map(Step::Rule),
        1 => (1..4_i64).prop_map(|thousands| Step::Refund(thousands * 1_000)),
        2 => (0..900_u16).prop_map(Step::Pass),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..80)
}

#[derive(Clone)]
struct Call {
    attempt: u32,
    request: GatewayRequest,
    awaited: bool,
}

struct World {
    payment: Option<Payment>,
    entry: Option<Entry>,
    calls: Vec<Call>,
    answers: Vec<GatewayAnswer>,
    rests: Vec<u32>,
    said: Vec<Arc<Message>>,
    asked: u32,
    at: Timestamp,
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
            asked: 0,
            at: at(0),
            method,
        }
    }

    fn held(&self) -> i64 {
        self.entry.as_ref().map_or(0, Entry::held_minor)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Process => {
                let (total, method) = (AMOUNT, self.method.to_owned());
                let customer_id = "c".to_owned();
                let intent = PaymentProcess { total, method, customer_id, placed_at: at(0) };
                self.decide(&PaymentInput::Process(origin(), intent));
            }
            Step::Undo => self.decide(&PaymentInput::Undo(origin())),
            Step::Resume => self.decide(&PaymentInput::Resume),
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
                    let attempt = call.attempt;
                    self.answers.push(GatewayAnswer { attempt, result: Err(silence()) });
                }
            }
            Step::Bring(index, again) => {
                if index < self.answers.len() {
                    let answer = self.answers.remove(index);
                    if again {
                        self.answers.push(answer.clone());
                    }
                    self.decide(&PaymentInput::Answered(answer));
                }
            }
            Step::PauseElapsed(index) => {
                if index < self.rests.len() {
                    let attempt = self.rests.remove(index);
                    self.decide(&PaymentInput::PauseElapsed(attempt));
                }
            }
            Step::Visit(visit) => {
                if let Some(entry) = &mut self.entry {
                    entry.visit(visit, self.at);
                }
            }
            Step::Notify(claimed_minor) => self.notify(claimed_minor),
            Step::Rule(ruling) => {
                self.decide(&PaymentInput::Requested(PaymentRequest::Review(ruling)));
            }
            Step::Refund(minor) => self.ask_back(minor),
            Step::Pass(seconds) => self.at += Duration::from_secs(u64::from(seconds)),
            Step::Crash => {
                self.answers.clear();
                self.rests.clear();
                self.calls.iter_mut().for_each(|call| call.awaited = false);
            }
        }
    }

    fn notify(&mut self, claimed_minor: i64) {
        let notification = Notification {
            provider: Provider::Simulated,
            reference: String::new(),
            order_id: Some(origin().order_id),
            is_test: false,
            claimed_minor,
            text: String::new(),
        };
        let received = ReceivedNotification::new(Uuid::nil(), notification, b"{}", self.at);
        self.decide(&PaymentInput::Notified(Arc::new(received)));
    }

    fn ask_back(&mut self, minor: i64) {
        let request = RefundRequest {
            refund_id: Uuid::from_u128(u128::from(minor.unsigned_abs())),
            what: RefundWhat::Amount(minor),
            ordered: Vec::new(),
            reason: "broken".to_owned(),
        };
        self.decide(&PaymentInput::Requested(PaymentRequest::Refund(request)));
    }

    /// The refunds that were asked for while the order goes on and not refused, in minor units.
    fn asked_back(&self) -> i64 {
        let refunds = self.payment.iter().flat_map(|payment| &payment.refunds);
        let counts = refunds.filter(|refund| refund.status != RefundStatus::Refused);
        counts.map(|refund| refund.amount_minor).sum()
    }

    /// The gateway, by its own rules.
    fn arrive(&mut self, Call { attempt, request, awaited }: Call) {
        let key = request.subject.key;
        let entry = self.entry.get_or_insert_with(|| Entry::new(key, self.at));
        let answer = entry.ask(&request, &GatewayPolicy::default(), self.at).answer;
        assert!(entry.captured_minor <= AMOUNT.minor, "captured twice");
        assert!(entry.refunded_minor <= entry.captured_minor, "gave back more than it had");
        let result = match answer {
            LedgerAnswer::Asked(result) => result.map(|payment| *payment),
            LedgerAnswer::Silence => Err(silence()),
            LedgerAnswer::Visited(_) => unreachable!("nobody visits by a request"),
        };
        if awaited {
            self.answers.push(GatewayAnswer { attempt, result });
        }
    }

    fn decide(&mut self, input: &PaymentInput) {
        self.at += Duration::from_secs(1);
        let policy = PaymentPolicy::default();
        let now = Now { at: self.at, policy: &policy };
        let decision = decide(self.payment.as_ref(), input, now);
        if let Some(payment) = decision.payment {
            self.payment = Some(payment);
        }
        for message in decision.messages {
            self.check_said(&message);
            self.said.push(message);
        }
        let Some(payment) = &self.payment else { return };
        let attempt = payment.attempts;
        match decision.effect {
            None => {}
            Some(Effect::Rest(_)) => self.rests.push(attempt),
            Some(Effect::Ask) => {
                self.asked += 1;
                assert_eq!(self.asked, attempt, "every request has a number of its own");
                let request = payment.request(now).expect("only a request is made");
                self.calls.push(Call { attempt, request, awaited: true });
            }
        }
    }

    fn check_said(&self, message: &Message) {
        match message.kind() {
            // This gateway's cancel does not stop the money of a customer who is at the page.
            _ if self.method == "test_redirect_late" => {}
            Kind::PaymentApproved => {
                let held = self.held();
                assert!((AMOUNT.minor - self.asked_back()..=AMOUNT.minor).contains(&held));
            }
            Kind::PaymentFailed => assert_eq!(self.held(), 0),
            Kind::PaymentReversed => assert_eq!(self.held(), 0, "reversed while money is held"),
            _ => {}
        }
    }

    fn outcome(&self) -> Option<&Arc<Message>> {
        let outcomes = [Kind::PaymentApproved, Kind::PaymentFailed, Kind::PaymentReversed];
        self.said.iter().rev().find(|message| outcomes.contains(&message.kind()))
    }

    /// From here on everything arrives, and what was lost is taken up; time passes until nothing is due any more.
    fn quiesce(&mut self) {
        for _ in 0..300 {
            while let Some(index) = self.calls.iter().position(|call| call.awaited) {
                self.take(Step::Arrive(index, false));
            }
            while !self.answers.is_empty() {
                self.take(Step::Bring(0, false));
            }
            while !self.rests.is_empty() {
                self.take(Step::PauseElapsed(0));
            }
            if self.calls.iter().any(|call| call.awaited) {
                continue;
            }
            match self.payment.as_ref().and_then(|payment| payment.due_at) {
                None => return,
                Some(due_at) => {
                    self.at = self.at.max(due_at);
                    // Nobody accepts a payment in review for ever: the order's deadline ends it.
                    let waits = self.payment.as_ref().map(Payment::status);
                    if waits == Some(PaymentStatus::InReview) && self.at > at(20 * 60) {
                        self.take(Step::Undo);
                    }
                    self.take(Step::Resume);
                }
            }
        }
        panic!("it never comes to rest: {:?}", self.payment);
    }
}

fn silence() -> GatewayError {
    GatewayError::Unknown("no answer".to_owned())
}

fn check(method: &'static str, steps: &[Step]) {
    let mut world = World::new(method);
    let (mut processed, mut undone) = (false, false);
    for step in steps {
        world.take(*step);
        processed |= matches!(step, Step::Process);
        undone |= matches!(step, Step::Undo);
    }
    world.quiesce();
    // Requests whose callers gave up long ago arrive at last: they change nothing any more.
    let held = world.held();
    while !world.calls.is_empty() {
        world.take(Step::Arrive(0, false));
    }
    assert_eq!(world.held(), held);

    let last = world.outcome().map(|message| message.kind());
    let Some(payment) = world.payment.clone() else {
        return assert!(!processed && !undone);
    };
    match payment.status() {
        PaymentStatus::Approved | PaymentStatus::PartiallyRefunded => {
            let left = AMOUNT.minor - world.asked_back();
            assert_eq!((held, last), (left, Some(Kind::PaymentApproved)));
        }
        PaymentStatus::Failed | PaymentStatus::Expired => {
            assert_eq!((held, last), (0, Some(Kind::PaymentFailed)));
        }
        PaymentStatus::Reversed => assert_eq!((held, last), (0, Some(Kind::PaymentReversed))),
        PaymentStatus::Reversing => {
            assert_eq!(method, "test_refund_by_hand");
            assert_eq!(payment.attention, Some(Attention::RefundByHand));
        }
        other => panic!("{other:?} is not at rest"),
    }
    let needs_hand = payment.status() == PaymentStatus::Reversing;
    if undone && !needs_hand {
        assert_eq!(last, Some(Kind::PaymentReversed), "the answer to an undo is the undo's event");
    }
    if (processed || undone) && !needs_hand {
        // Asked again, it answers with its latest outcome, to the letter.
        let latest = world.outcome().unwrap().json().to_owned();
        for command in if undone { vec![Step::Process, Step::Undo] } else { vec![Step::Process] } {
            let said = world.said.len();
            world.take(command);
            assert_eq!(world.said.len(), said + 1);
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
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn money_is_taken_once_and_never_kept_without_being_approved(
        method in prop::sample::select(vec![
            "credit_card",
            "test_declined",
            "test_timeout_charged",
            "test_timeout_uncharged",
            "test_refund_fails",
            "test_redirect",
            "test_redirect_late",
            "test_review",
            "test_refund_by_hand",
        ]),
        steps in steps(),
    ) {
        check(method, &steps);
    }
}
