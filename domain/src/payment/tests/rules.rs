//! Single rules of the decider.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{
    Flow, InventoryMessage, Kind, Message, OrderMessage, Origin, Payload, PaymentProcess, Plan,
    Refusal,
};
use crate::money::{Currency, Money};
use crate::payment::*;
use crate::testing::order_of;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn origin() -> Origin {
    let order_id = OrderId(Uuid::from_u128(7));
    Origin::new(order_id, Flow::default(), Plan::default())
}

fn process() -> PaymentInput {
    let method = "credit_card".to_owned();
    PaymentInput::Process(
        origin(),
        PaymentProcess { total: AMOUNT, method, customer_id: "c".to_owned(), placed_at: at(0) },
    )
}

fn answered(attempt: u32, result: Result<GatewayReply, OldGatewayError>) -> PaymentInput {
    PaymentInput::Answered(GatewayAnswer { attempt, result })
}

fn approved(attempt: u32, amount: Money) -> PaymentInput {
    let transaction_id = "t".to_owned();
    answered(attempt, Ok(GatewayReply::Charge(Charge::Approved { transaction_id, amount })))
}

fn declined(attempt: u32) -> PaymentInput {
    let reason = "declined".to_owned();
    answered(attempt, Ok(GatewayReply::Charge(Charge::Declined { reason })))
}

fn undone(attempt: u32) -> PaymentInput {
    answered(attempt, Ok(GatewayReply::Undone(Undone { refunded: Some(AMOUNT) })))
}

/// Decides the inputs in turn, a second each; the payment and the last effects.
fn after(inputs: &[PaymentInput]) -> (Payment, Vec<Effect>) {
    let policy = PaymentPolicy::default();
    let (mut payment, mut effects) = (None, Vec::new());
    for (second, input) in inputs.iter().enumerate() {
        let at = at(second as u64);
        let decision = decide(payment.as_ref(), input, Now { at, policy: &policy });
        for event in decision.events {
            payment = Some(apply(payment.take(), event, at).unwrap());
        }
        effects = decision.effects;
    }
    (payment.unwrap(), effects)
}

fn told(inputs: &[PaymentInput]) -> Option<(Kind, u32)> {
    let (payment, effects) = after(inputs);
    let message = payment.outcome().filter(|_| effects.contains(&Effect::Tell))?;
    Some((message.kind(), message.number))
}

#[test]
fn the_key_is_the_orders_and_never_an_attempts() {
    let key = GatewayKey::of(origin().order_id);
    let (payment, _) = after(&[process(), PaymentInput::Resume, PaymentInput::Resume]);
    assert!(matches!(payment.question(), Some(Question::Charge(charge)) if charge.key == key));
    let (payment, _) = after(&[process(), PaymentInput::Refund(origin())]);
    assert_eq!(payment.question(), Some(Question::Void(key)));
    let (payment, _) = after(&[process(), approved(1, AMOUNT), PaymentInput::Refund(origin())]);
    assert_eq!(payment.question(), Some(Question::Refund(key, AMOUNT)));
}

#[test]
fn a_question_without_an_answer_is_put_again_after_a_pause_that_doubles_up_to_a_bound() {
    let timeout = |attempt| answered(attempt, Err(OldGatewayError::Timeout));
    let mut inputs = vec![process()];
    let mut pauses = Vec::new();
    for attempt in 1..=12 {
        inputs.push(timeout(attempt));
        let (payment, effects) = after(&inputs);
        assert_eq!(payment.attempts, attempt, "an answer that does not come writes nothing");
        let [Effect::Rest(pause)] = effects[..] else { panic!("{effects:?}") };
        pauses.push(u64::try_from(pause.as_millis()).unwrap());
        inputs.push(PaymentInput::PauseElapsed(attempt));
    }
    let doubling =
        [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000];
    assert_eq!(pauses, doubling);
    let (payment, _) = after(&inputs);
    // The row is not taken for lost before the answer, the pause and some time more have passed.
    let latest = at(inputs.len() as u64 - 1);
    assert!(payment.asking().unwrap().due_at > latest + Duration::from_secs(35));
    // Undoing it begins with short pauses again.
    inputs.extend([PaymentInput::Refund(origin()), timeout(14)]);
    assert_eq!(after(&inputs).1, [Effect::Rest(Duration::from_millis(100))]);
}

#[test]
fn silence_to_an_earlier_question_or_a_pause_after_it_means_nothing() {
    let timeout = answered(1, Err(OldGatewayError::Timeout));
    assert_eq!(after(&[process(), PaymentInput::Resume, timeout.clone()]).1, []);
    assert_eq!(
        after(&[process(), timeout, PaymentInput::Resume, PaymentInput::PauseElapsed(1)]).1,
        []
    );
}

#[test]
fn a_repeated_process_is_silent_while_the_gateway_is_asked_and_a_repeated_refund_asks_at_once() {
    assert_eq!(after(&[process(), process()]).1, []);
    let undoing = [process(), PaymentInput::Refund(origin())];
    assert_eq!(after(&[&undoing[..], &[process()]].concat()).1, []);
    assert_eq!(after(&[&undoing[..], &[PaymentInput::Refund(origin())]].concat()).1, [Effect::Ask]);
}

#[test]
fn a_refund_before_any_charge_is_reversed_at_once_and_never_charged() {
    let early = [PaymentInput::Refund(origin())];
    assert_eq!(told(&early), Some((Kind::PaymentReversed, 0)));
    assert_eq!(
        told(&[PaymentInput::Refund(origin()), process()]),
        Some((Kind::PaymentReversed, 0))
    );
    let declined = [process(), declined(1), PaymentInput::Refund(origin())];
    assert_eq!(told(&declined), Some((Kind::PaymentReversed, 0)));
    assert_eq!(after(&declined).0.attempts, 1);
}

#[test]
fn a_charge_found_after_its_undo_is_undone_too() {
    let reversed = [process(), PaymentInput::Refund(origin()), undone(2)];
    assert_eq!(told(&reversed), Some((Kind::PaymentReversed, 0)));
    let late = [&reversed[..], &[approved(1, AMOUNT)]].concat();
    let (payment, effects) = after(&late);
    assert_eq!((payment.status(), effects), (PaymentStatus::Reversing, vec![Effect::Ask]));
    // An undo that was asked before the capture was known proves nothing.
    let stale = [&late[..], &[undone(2)]].concat();
    assert_eq!(after(&stale).0.status(), PaymentStatus::Reversing);
    let again = [&stale[..], &[undone(3)]].concat();
    assert_eq!(told(&again), Some((Kind::PaymentReversed, 1)));
}

#[test]
fn a_charge_found_on_a_declined_payment_or_with_a_wrong_amount_is_undone() {
    let (payment, _) = after(&[process(), PaymentInput::Resume, declined(2), approved(1, AMOUNT)]);
    assert_eq!(payment.status(), PaymentStatus::Reversing);
    let wrong = Money { minor: 1, ..AMOUNT };
    let (payment, effects) = after(&[process(), approved(1, wrong)]);
    assert_eq!((payment.status(), effects), (PaymentStatus::Reversing, vec![Effect::Ask]));
}

#[test]
fn a_payment_survives_being_stored() {
    let scenarios: [&[PaymentInput]; 6] = [
        &[process()],
        &[process(), approved(1, AMOUNT)],
        &[process(), declined(1)],
        &[process(), approved(1, AMOUNT), PaymentInput::Refund(origin())],
        &[process(), PaymentInput::Refund(origin()), undone(2)],
        &[PaymentInput::Refund(origin())],
    ];
    for scenario in scenarios {
        let (payment, _) = after(scenario);
        let json = serde_json::to_string(&payment).unwrap();
        assert_eq!(serde_json::from_str::<Payment>(&json).unwrap(), payment, "{json}");
    }
}

/// The input that an event is for a choreographed payment.
fn heard(payload: Payload) -> PaymentInput {
    let origin = Origin { flow: Flow::Choreographed, ..origin() };
    input(&Message::new(&origin, payload, 0, at(0))).unwrap()
}

fn created() -> PaymentInput {
    heard(Payload::Order(OrderMessage::Created(Arc::new(order_of(&[("MUG", 2)], "credit_card")))))
}

#[test]
fn choreographed_an_approval_says_what_was_ordered_and_nothing_else_does() {
    let total = Money { minor: 2_000, currency: Currency::USD };
    let said = |inputs: &[PaymentInput]| {
        let message = after(inputs).0.outcome().unwrap();
        assert_eq!(message.origin.flow, Flow::Choreographed);
        (message.kind(), message.origin.order.is_some())
    };
    let refused = || {
        heard(Payload::Inventory(InventoryMessage::Failed(Refusal::because("insufficient_stock"))))
    };
    assert_eq!(said(&[created(), approved(1, total)]), (Kind::PaymentApproved, true));
    assert_eq!(said(&[created(), declined(1)]), (Kind::PaymentFailed, false));
    let reversed = [created(), approved(1, total), refused(), undone(2)];
    assert_eq!(said(&reversed), (Kind::PaymentReversed, false));
}

#[test]
fn choreographed_an_undo_that_comes_first_tombstones_the_payment() {
    let inputs = [heard(Payload::Inventory(InventoryMessage::Released)), created()];
    assert_eq!(told(&inputs), Some((Kind::PaymentReversed, 0)));
    assert_eq!(after(&inputs).0.attempts, 0, "the gateway never hears of it");
}
