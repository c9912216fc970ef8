//! A decision on a payment while it is made: the payment as it becomes, what is told, what is asked.
//!
//! Every function of the decider works on a [`Turn`]: it changes the payment, and says at the end what goes on. The
//! [`Turn::finish`] that follows derives what depends on both: the next look, the update that is told.

use super::news::news;
use super::policy::{Now, PaymentPolicy};
use super::requests::{PaymentReply, RefundStatus, RequestRefused};
use super::state::{Asking, End, Payment, State};
use crate::messages::Message;
use std::sync::Arc;
use std::time::Duration;

/// What follows once a decision is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make [`Payment::request`] of the gateway, and bring back the answer.
    Ask,
    /// Wait, then say that the pause after the latest request is over.
    Rest(Duration),
}

/// The decision on a payment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaymentDecision {
    /// The payment as it is now. None: as it was.
    pub payment: Option<Payment>,
    /// What is told, in the same transaction.
    pub messages: Vec<Arc<Message>>,
    /// What follows the commit.
    pub effect: Option<Effect>,
    /// What a person who asked hears.
    pub reply: PaymentReply,
}

impl PaymentDecision {
    /// A request that is not taken; nothing changes.
    pub(super) fn refused(reason: RequestRefused) -> Self {
        Self { reply: PaymentReply::Refused(reason), ..Self::default() }
    }

    /// Tells what was told before; nothing changes.
    pub(super) fn tell(message: Option<Arc<Message>>) -> Self {
        Self { messages: message.into_iter().collect(), ..Self::default() }
    }
}

/// A decision while it is made.
pub(super) struct Turn<'a> {
    pub(super) payment: Payment,
    pub(super) now: Now<'a>,
    pub(super) before: Option<&'a Payment>,
    messages: Vec<Arc<Message>>,
    pub(super) reply: PaymentReply,
    effect: Option<Effect>,
}

impl<'a> Turn<'a> {
    /// A decision on a payment.
    pub(super) fn on(payment: &'a Payment, now: Now<'a>) -> Self {
        Self { before: Some(payment), ..Self::first(payment.clone(), now) }
    }

    /// The first decision on a payment.
    pub(super) fn first(payment: Payment, now: Now<'a>) -> Self {
        Self {
            payment,
            now,
            before: None,
            messages: Vec::new(),
            reply: PaymentReply::Taken,
            effect: None,
        }
    }

    /// Comes to stand elsewhere: only answers to later requests can end it.
    pub(super) fn go(&mut self, state: State) {
        self.payment.state = state;
        self.payment.since = self.payment.attempts + 1;
        self.payment.rejections = 0;
        self.payment.changed_at = self.now.at;
        self.payment.asking = None;
        self.payment.looks.polls = 0;
    }

    /// Comes to stand elsewhere and has the gateway asked for what that needs.
    pub(super) fn act_as(&mut self, state: State) {
        self.go(state);
        self.ask(Asking::Act);
    }

    /// Has the gateway asked, now.
    pub(super) fn ask(&mut self, asking: Asking) {
        let payment = &mut self.payment;
        if payment.state == State::Authorized && asking == Asking::Act {
            payment.state = State::Capturing;
        }
        payment.attempts += 1;
        payment.asking = Some(asking);
        payment.looks.again = false;
        let policy = self.now.policy;
        let answered_or_rested = self.now.at + policy.timeout + policy.pause(payment.requests());
        payment.due_at = Some(answered_or_rested + PaymentPolicy::LOST_AFTER);
        self.effect = Some(Effect::Ask);
    }

    /// Lets time pass before the gateway is asked (again).
    pub(super) fn rest(&mut self, asking: Asking, pause: Duration) {
        self.payment.asking = Some(asking);
        self.payment.due_at = Some(self.now.at + pause + PaymentPolicy::LOST_AFTER);
        self.effect = Some(Effect::Rest(pause));
    }

    /// Lets time pass, and writes nothing: the row says already that the gateway is to be asked again.
    pub(super) fn rest_unwritten(&mut self, pause: Duration) {
        self.effect = Some(Effect::Rest(pause));
    }

    /// Ends, and tells it unless it was told before.
    pub(super) fn end(&mut self, end: End, late: bool) {
        let payment = &mut self.payment;
        // There is nothing left for a person to do, and no refund is missing.
        payment.attention = payment.attention.filter(|attention| !attention.needs_person());
        payment.forget_refused_refund();
        payment.published.reversals += u32::from(end == End::Reversed && !late);
        if !late {
            payment.published.outcome_at = Some(self.now.at);
        }
        self.close_refunds();
        self.go(State::Ended { end });
        if !late {
            self.tell_outcome();
        }
    }

    /// Refunds that the gateway has not taken: nothing is left to refund.
    fn close_refunds(&mut self) {
        let at = self.now.at;
        let refunds = self.payment.refunds.iter_mut();
        for refund in refunds.filter(|refund| refund.status == RefundStatus::Asked) {
            let reason = Some("payment_ended".to_owned());
            (refund.status, refund.refused, refund.changed_at) =
                (RefundStatus::Refused, reason, at);
        }
    }

    /// Tells the latest outcome.
    pub(super) fn tell_outcome(&mut self) {
        self.messages.extend(self.payment.outcome());
    }

    /// Tells something else.
    pub(super) fn tell(&mut self, message: Arc<Message>) {
        self.messages.push(message);
    }

    /// The decision: with what follows from where the payment has come to stand.
    pub(super) fn finish(mut self) -> PaymentDecision {
        if self.effect.is_none() {
            self.schedule();
        }
        self.finish_as_it_goes()
    }

    /// The decision, while what is under way goes on.
    pub(super) fn finish_as_it_goes(mut self) -> PaymentDecision {
        if self.before != Some(&self.payment) {
            let told = news(self.before, &mut self.payment, self.now.at);
            self.messages.extend(told);
        }
        let changed = self.before != Some(&self.payment);
        PaymentDecision {
            payment: changed.then_some(self.payment),
            messages: self.messages,
            effect: self.effect,
            reply: self.reply,
        }
    }

    /// True when nothing has moved: it stands where it stood, and asks what it asked.
    pub(super) fn stands_as_before(&self) -> bool {
        let (state, asking) = (&self.payment.state, self.payment.asking);
        self.effect.is_none()
            && self.before.is_some_and(|before| (&before.state, before.asking) == (state, asking))
    }

    /// Nothing is asked now: what is asked next, and when.
    fn schedule(&mut self) {
        let (at, policy) = (self.now.at, self.now.policy);
        if self.payment.wants_to_act() {
            match self.payment.rejections.checked_sub(1) {
                None => self.rest(Asking::Act, policy.pause(self.payment.requests())),
                Some(nth) => {
                    let pauses = PaymentPolicy::REJECTED_PAUSES;
                    let nth = (nth as usize).min(pauses.len() - 1);
                    self.rest(Asking::Act, pauses[nth]);
                }
            }
        } else if let Some(pause) = self.recheck() {
            self.rest(Asking::Retrieve, pause);
        } else {
            self.payment.asking = None;
            self.payment.due_at = self.payment.next_look(at);
        }
    }

    /// The pause before the next look that a notification asks for.
    fn recheck(&self) -> Option<Duration> {
        let Payment { looks, known, .. } = &self.payment;
        let shown = known.captured_minor.saturating_add(known.held_minor);
        let nth = looks.rechecks.saturating_sub(1) as usize;
        let pause = PaymentPolicy::RECHECKS.get(nth).copied();
        let claims_more = looks.claimed_minor > shown;
        match looks.again {
            true => Some(PaymentPolicy::NOTIFIED_EVERY),
            false => pause.filter(|_| claims_more),
        }
    }
}
