//! What an answer adds to what is known: money grows, refunds proceed, tries are noted. Nothing is decided here.

use super::attention::Attention;
use super::decision::Turn;
use super::gateway_payment::{GatewayPayment, RefundProgress};
use super::requests::{Refund, RefundStatus, RefundWhat};
use super::state::Asking;
use crate::clock::Timestamp;
use uuid::Uuid;

/// What is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    /// More was captured.
    pub captured_more: bool,
    /// More was given back, or a refund has proceeded.
    pub refunded_more: bool,
}

impl Turn<'_> {
    /// Takes in an answer. Only the latest says what is held now, and ends what was asked.
    pub(super) fn learn(&mut self, stands: &GatewayPayment, latest: bool) -> Learned {
        let at = self.now.at;
        let payment = &mut self.payment;
        let known = &mut payment.known;
        let before = (known.captured_minor, known.refunded_minor);
        for (mine, theirs) in [
            (&mut known.reference.page, &stands.reference.page),
            (&mut known.reference.payment, &stands.reference.payment),
        ] {
            if let Some(theirs) = theirs {
                *mine = Some(theirs.clone());
            }
        }
        // What is in review may be released yet: it counts when it is accepted.
        let counts = stands.captured_minor > 0 && !stands.in_review;
        if counts && stands.captured_minor >= known.captured_minor {
            known.captured_minor = stands.captured_minor;
            known.credited_minor = stands.credited_minor;
        }
        known.refunded_minor = known.refunded_minor.max(stands.refunded_minor);
        if latest {
            known.held_minor = stands.held_minor;
            known.capture_before = stands.capture_before;
            known.in_review = stands.in_review;
            if payment.looks.claimed_minor > 0 && payment.asking == Some(Asking::Retrieve) {
                payment.looks.rechecks += 1;
            }
        }
        if known.held_minor == 0 && stands.held_minor > 0 {
            known.held_minor = stands.held_minor;
        }
        if stands.last_try.is_some() {
            known.last_try.clone_from(&stands.last_try);
        }
        if payment.known.refunded_minor > before.1 {
            // Perhaps in the gateway's dashboard.
            payment.forget_refused_refund();
        }
        let key = payment.key();
        let mut proceeded = false;
        for refund in &mut payment.refunds {
            let part = refund.key(key);
            let theirs = stands.refunds.iter().find(|theirs| theirs.key == part);
            let has_proceeded = theirs.is_some_and(|theirs| proceed(refund, &theirs.progress, at));
            if has_proceeded && refund.status == RefundStatus::Refused {
                payment.attention = Some(Attention::RefundRefused);
            }
            proceeded |= has_proceeded;
        }
        let known = &self.payment.known;
        let settled = known.captured_minor.saturating_add(known.held_minor);
        if self.payment.looks.claimed_minor <= settled {
            self.payment.looks.claimed_minor = 0;
            self.payment.looks.rechecks = 0;
        }
        let progress = proceeded || self.payment.known.refunded_minor > before.1;
        if progress || self.payment.known.captured_minor > before.0 {
            self.payment.rejections = 0;
        }
        Learned {
            captured_more: self.payment.known.captured_minor > before.0,
            refunded_more: progress,
        }
    }

    /// Captured more than once: what is too much goes back.
    pub(super) fn refund_excess(&mut self) {
        let excess = self.payment.known.credited_minor - self.payment.due_minor();
        if excess <= 0 {
            return;
        }
        self.payment.attention = Some(Attention::CapturedTwice);
        let captured = self.payment.known.captured_minor;
        let name = format!("excess:{captured}");
        self.payment.refunds.push(Refund {
            refund_id: Uuid::new_v5(&self.payment.origin.order_id.0, name.as_bytes()),
            what: RefundWhat::Amount(excess),
            amount_minor: excess,
            reason: "captured twice".to_owned(),
            status: RefundStatus::Asked,
            refused: None,
            asked_at: self.now.at,
            changed_at: self.now.at,
        });
    }
}

/// True when a refund has come further.
fn proceed(refund: &mut Refund, progress: &RefundProgress, at: Timestamp) -> bool {
    let (status, refused) = match progress {
        RefundProgress::Pending => (RefundStatus::Pending, None),
        RefundProgress::Done => (RefundStatus::Done, None),
        RefundProgress::Refused { reason } => (RefundStatus::Refused, Some(reason.clone())),
    };
    // A refund that was done may fail at the bank later; it never goes back to pending.
    let goes_back = refund.status == RefundStatus::Done && status == RefundStatus::Pending;
    if refund.status == status || goes_back {
        return false;
    }
    (refund.status, refund.refused, refund.changed_at) = (status, refused, at);
    true
}
