//! The payment's decider. Pure; a file per verb.

use super::decision::PaymentDecision;
use super::input::PaymentInput;
use super::policy::Now;
use super::state::Payment;
use super::{gateway_answer, process, refund, resume};

/// Decides. The same payment and input always come to the same.
pub fn decide(payment: Option<&Payment>, input: &PaymentInput, now: Now<'_>) -> PaymentDecision {
    match input {
        PaymentInput::Process(origin, intent) => process::process(payment, origin, intent, now),
        PaymentInput::Refund(origin) => refund::refund(payment, origin, now),
        PaymentInput::Answered(answer) => payment
            .map(|payment| gateway_answer::apply_gateway_answer(payment, answer, now))
            .unwrap_or_default(),
        PaymentInput::PauseElapsed(attempt) => payment
            .map(|payment| resume::resume_after_pause(payment, *attempt, now))
            .unwrap_or_default(),
        PaymentInput::Resume => {
            payment.map(|payment| resume::resume(payment, now)).unwrap_or_default()
        }
        PaymentInput::Notified(_) | PaymentInput::Requested(_) => PaymentDecision::default(),
    }
}
