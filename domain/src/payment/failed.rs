//! A request that has no answer. The outcome is never guessed.

use super::attention::Attention;
use super::decision::{PaymentDecision, Turn};
use super::gateway_request::GatewayError;
use super::policy::{Now, PaymentPolicy};
use super::requests::RefundStatus;
use super::state::{Asking, End, Payment, State};

/// The same request again after a pause, under the same keys; only for the latest, since the earlier ones have been
/// made again already. A rejection is an answer, but of the request, not of the money.
pub(super) fn failed(
    payment: &Payment,
    attempt: u32,
    error: &GatewayError,
    now: Now<'_>,
) -> PaymentDecision {
    let Some(asking) = payment.asking.filter(|_| attempt == payment.attempts) else {
        return PaymentDecision::default();
    };
    let mut turn = Turn::on(payment, now);
    match (error, asking) {
        (GatewayError::Unreachable(_) | GatewayError::Unknown(_) | GatewayError::Invalid(_), _) => {
            turn.rest_unwritten(now.policy.pause(payment.requests()));
        }
        (GatewayError::Busy { after }, asking) => turn.rest(asking, now.policy.busy(*after)),
        (GatewayError::Misconfigured(_), asking) => {
            turn.rest(asking, PaymentPolicy::MISCONFIGURED_PAUSE);
        }
        (GatewayError::Rejected { .. } | GatewayError::NotSupported, Asking::Retrieve) => {
            turn.rest_unwritten(now.policy.pause(payment.requests()));
        }
        (GatewayError::Rejected { code, .. }, Asking::Act) => turn.rejected(code),
        (GatewayError::NotSupported, Asking::Act) => turn.not_supported(),
    }
    turn.finish()
}

impl Turn<'_> {
    fn rejected(&mut self, code: &str) {
        self.payment.rejections += 1;
        let too_often = self.payment.rejections >= PaymentPolicy::REJECTIONS_MAX;
        match self.payment.state.clone() {
            // Nothing was made, if this was the first request; else a page may be there.
            State::Creating if self.payment.requests() <= 1 => {
                self.end(End::declined(code), false);
            }
            State::Creating => {
                self.act_as(State::Cancelling { end: End::declined(code), late: false });
            }
            State::Approved => self.refuse_refund(code),
            State::InReview { .. } => self.payment.state = State::InReview { ruling: None },
            State::Authorized | State::Capturing if too_often => {
                let end = End::lapsed("capture_declined");
                self.act_as(State::Cancelling { end, late: false });
            }
            State::Cancelling { .. } if too_often => self.call_person(Attention::CancelRejected),
            State::Refunding { .. } if too_often => self.call_person(Attention::RefundByHand),
            // The gateway may have moved on: it is looked at before it is asked again.
            State::Authorized
            | State::Capturing
            | State::Cancelling { .. }
            | State::Refunding { .. } => {
                self.rest(Asking::Retrieve, self.now.policy.pause(self.payment.requests()));
            }
            State::AwaitingCustomer { .. } | State::Ended { .. } => {}
        }
    }

    fn not_supported(&mut self) {
        match self.payment.state.clone() {
            State::Creating => self.rejected("not_supported"),
            State::Approved => self.refuse_refund("not_supported"),
            State::InReview { .. } => self.payment.state = State::InReview { ruling: None },
            State::Authorized | State::Capturing => {
                let end = End::lapsed("capture_declined");
                self.act_as(State::Cancelling { end, late: false });
            }
            State::Cancelling { .. } => self.call_person(Attention::CancelRejected),
            State::Refunding { .. } => self.call_person(Attention::RefundByHand),
            State::AwaitingCustomer { .. } | State::Ended { .. } => {}
        }
    }

    /// Nothing is asked any more before a person acts.
    pub(super) fn call_person(&mut self, attention: Attention) {
        self.payment.attention = Some(attention);
        self.payment.rejections = 0;
    }

    fn refuse_refund(&mut self, reason: &str) {
        let at = self.now.at;
        let asked =
            self.payment.refunds.iter_mut().find(|refund| refund.status == RefundStatus::Asked);
        if let Some(refund) = asked {
            refund.status = RefundStatus::Refused;
            refund.refused = Some(reason.to_owned());
            refund.changed_at = at;
            self.payment.attention = Some(Attention::RefundRefused);
        }
        self.payment.rejections = 0;
        if self.payment.next_refund().is_some() {
            self.ask(Asking::Act);
        }
    }
}
