//! Maps a message of a service to the step that it answers.

use super::facts::Facts;
use super::step_state::{AnswerData, StepChange};
use super::steps::{Phase, Step};
use crate::messages::{Message, Payload, PaymentMessage, ShippingMessage};

/// The step that a message answers, and what the answer is: done, refused or undone. None: it answers no step.
pub fn answer(facts: &Facts, message: &Message) -> Option<(Step, StepChange)> {
    Step::ALL.into_iter().find_map(|step| Some((step, answer_of(step, facts, message)?)))
}

fn answer_of(step: Step, facts: &Facts, message: &Message) -> Option<StepChange> {
    let (kind, spec) = (message.kind(), step.spec());
    if kind == spec.action.done {
        return Some(StepChange::Done(data(&message.payload)));
    }
    let Phase::Plan { refused, refusal, undo, .. } = &spec.phase else { return None };
    // One kind may answer both the step and its undo: the undo, once it is sent.
    if kind == undo.done && (kind != *refused || facts.step(step).is_undo_sent()) {
        return Some(StepChange::Undone);
    }
    let refusal = refusal(&message.payload).filter(|_| kind == *refused)?;
    Some(StepChange::Refused(refusal.clone()))
}

/// The part of an answer that the saga keeps.
fn data(payload: &Payload) -> AnswerData {
    match payload {
        Payload::Payment(PaymentMessage::Approved(payment)) => AnswerData::Payment(payment.clone()),
        Payload::Shipping(ShippingMessage::Scheduled(shipment)) => {
            AnswerData::Shipment(shipment.clone())
        }
        _ => AnswerData::None,
    }
}
