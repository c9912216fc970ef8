//! What people ask of a payment.

use super::attention::Attention;
use super::decision::{PaymentDecision, Turn};
use super::gateway_request::Ruling;
use super::policy::Now;
use super::refund_amount::amount;
use super::requests::{
    PaymentReply, PaymentRequest, REFUNDS_MAX, Refund, RefundRequest, RefundStatus, RequestRefused,
};
use super::state::{Asking, Payment, State};

/// Decides on a request. One that is not taken changes nothing.
pub(super) fn requested(
    payment: Option<&Payment>,
    request: &PaymentRequest,
    now: Now<'_>,
) -> PaymentDecision {
    let Some(payment) = payment else {
        return PaymentDecision::refused(RequestRefused::NotFound);
    };
    match request {
        PaymentRequest::Refund(request) => refund(payment, request, now),
        PaymentRequest::Review(ruling) => review(payment, *ruling, now),
        PaymentRequest::RefundedByHand { note } => refunded_by_hand(payment, note, now),
    }
}

fn conflict(text: &str) -> PaymentDecision {
    PaymentDecision::refused(RequestRefused::Conflict(text.to_owned()))
}

fn refund(payment: &Payment, request: &RefundRequest, now: Now<'_>) -> PaymentDecision {
    let mut known = payment.refunds.iter();
    if let Some(known) = known.find(|known| known.refund_id == request.refund_id) {
        let is_same = known.what == request.what && known.reason == request.reason;
        return match is_same {
            true => PaymentDecision {
                reply: PaymentReply::Refund(Box::new(known.clone())),
                ..PaymentDecision::default()
            },
            false => PaymentDecision::refused(RequestRefused::Invalid {
                field: "Idempotency-Key".to_owned(),
                text: "was used for another refund of this order; expected the same request, or another key"
                    .to_owned(),
            }),
        };
    }
    if payment.state != State::Approved {
        return conflict(
            "only an approved payment can be refunded in parts; cancel the order instead",
        );
    }
    if payment.refunds.len() >= REFUNDS_MAX {
        return conflict(
            "the payment has 50 refunds, the maximum; cancel the order to refund the rest",
        );
    }
    let amount_minor = match amount(payment, request) {
        Ok(amount_minor) => amount_minor,
        Err(refused) => return PaymentDecision::refused(refused),
    };
    let refund = Refund {
        refund_id: request.refund_id,
        what: request.what.clone(),
        amount_minor,
        reason: request.reason.clone(),
        status: RefundStatus::Asked,
        refused: None,
        asked_at: now.at,
        changed_at: now.at,
    };
    let mut turn = Turn::on(payment, now);
    turn.payment.refunds.push(refund.clone());
    // Whoever asks for another has seen that the last was refused.
    turn.payment.forget_refused_refund();
    turn.reply = PaymentReply::Refund(Box::new(refund));
    if payment.asking.is_some() {
        return turn.finish_as_it_goes();
    }
    turn.ask(Asking::Act);
    turn.finish()
}

fn review(payment: &Payment, ruling: Ruling, now: Now<'_>) -> PaymentDecision {
    if !matches!(payment.state, State::InReview { .. }) {
        return conflict("the payment is not in review");
    }
    let mut turn = Turn::on(payment, now);
    turn.payment.state = State::InReview { ruling: Some(ruling) };
    turn.ask(Asking::Act);
    turn.finish()
}

/// Closes the matter for good: what is left counts as given back.
fn refunded_by_hand(payment: &Payment, note: &str, now: Now<'_>) -> PaymentDecision {
    let State::Refunding { end, late } = &payment.state else {
        return conflict("the payment does not wait for a refund by hand");
    };
    if payment.attention != Some(Attention::RefundByHand) {
        return conflict(
            "the gateway is being asked for this refund; it does not wait for a person",
        );
    }
    let mut turn = Turn::on(payment, now);
    turn.payment.known.refunded_minor = payment.known.captured_minor;
    turn.payment.note = Some(note.to_owned());
    turn.payment.attention = None;
    turn.end(end.clone(), *late);
    turn.finish()
}
