//! Takes in what the gateway has, whatever it was asked and whether or not the payment has moved on since.
//!
//! What an answer says of money is true however late it comes. That the payment is closed or refused counts only from
//! a request that was made since the payment came to stand where it stands.

use super::attention::Attention;
use super::decision::{PaymentDecision, Turn};
use super::gateway_payment::GatewayPayment;
use super::gateway_request::Ruling;
use super::learn::Learned;
use super::policy::Now;
use super::state::{Asking, End, Payment, State};
use crate::planted::{Bug, planted};

/// An answer to the request of this number.
pub(super) fn answer(
    payment: &Payment,
    attempt: u32,
    stands: &GatewayPayment,
    now: Now<'_>,
) -> PaymentDecision {
    let state = payment.state.clone();
    if state == (State::Ended { end: End::Tombstoned }) {
        return PaymentDecision::default();
    }
    let mut turn = Turn::on(payment, now);
    let fresh = attempt >= payment.since;
    let latest = attempt == payment.attempts;
    let learned = turn.learn(stands, latest);
    match state {
        State::Creating | State::AwaitingCustomer { .. } | State::InReview { .. } => {
            turn.wanted(attempt, stands, fresh);
        }
        State::Authorized | State::Capturing => turn.capturing(stands, fresh),
        State::Approved => turn.approved(stands, fresh, learned),
        State::Cancelling { end, late } => turn.cancelling(stands, fresh, end, late),
        State::Refunding { end, late } => turn.refunding(stands, fresh, end, late),
        State::Ended { end } => turn.after_end(stands, fresh, end),
    }
    let is_under_way = payment.asking.is_some() && !latest && turn.stands_as_before();
    if is_under_way { turn.finish_as_it_goes() } else { turn.finish() }
}

impl Turn<'_> {
    /// The money is still wanted.
    fn wanted(&mut self, attempt: u32, stands: &GatewayPayment, fresh: bool) {
        let due = self.payment.due_minor();
        let known = &self.payment.known;
        let (left, held, credited) = (known.left_minor(), known.held_minor, known.credited_minor);
        let denied = stands.last_try.as_ref().and_then(|latest| latest.denied.as_deref());
        if stands.in_review && left == 0 {
            return self.review();
        }
        if left > 0 {
            return if credited == due || planted(Bug::AnyAmount) {
                self.approve();
            } else {
                self.wrong_amount();
            };
        }
        if held > 0 {
            return if held == due {
                self.act_as(State::Capturing);
            } else {
                self.wrong_amount();
            };
        }
        match &stands.refused {
            Some(reason) if fresh && stands.closed => {
                return self.end(End::declined(reason), false);
            }
            _ => {}
        }
        match denied {
            Some(reason) if planted(Bug::DenialIsFinal) => {
                return self.end(End::declined(reason), false);
            }
            _ => {}
        }
        match (&stands.page, stands.closed && fresh) {
            (Some(_), _) | (None, false) => self.await_customer(attempt, stands),
            (None, true) => self.nobody_paid(),
        }
    }

    fn nobody_paid(&mut self) {
        let end = match self.payment.state {
            State::InReview { .. } => End::declined("review"),
            _ => End::Expired,
        };
        self.end(end, false);
    }

    /// There is a page, or a try at one that is lost; a newer request's page replaces an older one's.
    fn await_customer(&mut self, attempt: u32, stands: &GatewayPayment) {
        let is_over = self.payment.given_up_at().is_some_and(|last| self.now.at >= last);
        match (&self.payment.state, &stands.page) {
            // A person has denied it: no other try is waited for, though the page would take one.
            (State::InReview { ruling: Some(Ruling::Deny) }, _) => {
                let is_answer = attempt == self.payment.attempts && !stands.in_review;
                if is_answer {
                    self.act_as(State::Cancelling { end: End::declined("review"), late: false });
                }
            }
            (State::Creating | State::InReview { .. }, Some(page)) => self.show_page(attempt, page),
            (State::Creating, None) if stands.last_try.is_some() => {
                self.go(State::AwaitingCustomer { page: None, attempt });
            }
            (State::AwaitingCustomer { page: shown, attempt: of }, Some(page))
                if attempt > *of && shown.as_ref().map(|shown| &shown.url) != Some(&page.url) =>
            {
                self.show_page(attempt, page);
            }
            (State::AwaitingCustomer { .. }, _) if is_over => {
                self.act_as(State::Cancelling { end: End::Expired, late: false });
            }
            (State::InReview { .. }, None) if !stands.in_review => {
                self.go(State::AwaitingCustomer { page: None, attempt });
            }
            _ => {}
        }
    }

    fn show_page(&mut self, attempt: u32, page: &super::gateway_payment::Page) {
        self.go(State::AwaitingCustomer { page: Some(page.clone()), attempt });
        self.payment.page_ends_at = Some(page.expires_at);
        self.payment.published.pages += 1;
        self.payment.published.page_at = Some(self.now.at);
        if let Some(message) = self.payment.page_message(page) {
            self.tell(message);
        }
    }

    fn review(&mut self) {
        if !matches!(self.payment.state, State::InReview { .. }) {
            self.go(State::InReview { ruling: None });
        }
    }

    /// The money is there.
    pub(super) fn approve(&mut self) {
        self.go(State::Approved);
        self.payment.published.outcome_at = Some(self.now.at);
        self.tell_outcome();
    }

    /// Another amount than the order's: all of it goes back.
    fn wrong_amount(&mut self) {
        self.payment.attention = Some(Attention::WrongAmount);
        let end = End::declined("wrong_amount");
        if self.payment.known.left_minor() > 0 {
            self.act_as(State::Refunding { end, late: false });
        } else {
            self.act_as(State::Cancelling { end, late: false });
        }
    }

    fn capturing(&mut self, stands: &GatewayPayment, fresh: bool) {
        let known = &self.payment.known;
        if known.left_minor() > 0 {
            return if known.credited_minor == self.payment.due_minor() {
                self.approve();
            } else {
                self.wrong_amount();
            };
        }
        if fresh && stands.held_minor == 0 && stands.closed {
            return self.end(End::lapsed("authorization_expired"), false);
        }
        // The hold stays: its capture is asked for again.
        self.payment.state = State::Authorized;
    }

    fn approved(&mut self, stands: &GatewayPayment, fresh: bool, learned: Learned) {
        if fresh && self.is_gone(stands) {
            // The bank took it back. What comes later is money again.
            self.payment.known.captured_minor = 0;
            self.payment.known.credited_minor = 0;
            let end = End::lapsed("reverted");
            return if stands.closed {
                self.end(end, false);
            } else {
                // The page would take another try, for an order that is given up.
                self.act_as(State::Cancelling { end, late: false });
            };
        }
        if learned.captured_more {
            self.refund_excess();
        }
        let under_way = self.payment.next_refund().is_some();
        if under_way && (learned.refunded_more || learned.captured_more) {
            self.ask(Asking::Act);
        }
    }

    /// True when the gateway says that it has no money of a payment that it had money of: not merely that it does not
    /// see it yet.
    fn is_gone(&self, stands: &GatewayPayment) -> bool {
        let has_none = stands.captured_minor == 0 && stands.held_minor == 0;
        has_none && (stands.closed || self.is_denied_now(stands))
    }

    /// True when the try that was captured is denied. Another try of the customer says nothing of it.
    fn is_denied_now(&self, stands: &GatewayPayment) -> bool {
        let captured = self.before.and_then(|before| before.known.reference.payment.as_ref());
        let is_same = captured.is_some() && captured == stands.reference.payment.as_ref();
        is_same && stands.last_try.as_ref().is_some_and(|latest| latest.denied.is_some())
    }

    fn cancelling(&mut self, stands: &GatewayPayment, fresh: bool, end: End, late: bool) {
        let known = &self.payment.known;
        if known.left_minor() > 0 {
            // The customer paid while the page was closed.
            if end == End::Expired {
                self.payment.attention = Some(Attention::LateMoney);
            }
            self.act_as(State::Refunding { end, late });
        } else if fresh && stands.closed && stands.held_minor == 0 {
            self.end(end, late);
        }
    }

    fn refunding(&mut self, stands: &GatewayPayment, fresh: bool, end: End, late: bool) {
        if fresh && self.is_gone(stands) {
            // It is gone without us: the gateway released it, or the bank took it back.
            (self.payment.known.captured_minor, self.payment.known.credited_minor) = (0, 0);
        }
        if self.payment.known.left_minor() > 0 {
            return;
        }
        if fresh && stands.closed {
            self.end(end, late);
        } else if fresh {
            self.act_as(State::Cancelling { end, late });
        }
    }

    /// Money that turns up goes back; a page that is still open is closed.
    fn after_end(&mut self, stands: &GatewayPayment, fresh: bool, end: End) {
        if self.payment.known.left_minor() > 0 {
            self.payment.attention = Some(Attention::LateMoney);
            self.act_as(State::Refunding { end, late: true });
        } else if stands.held_minor > 0 || stands.in_review {
            self.payment.attention = Some(Attention::LateMoney);
            self.act_as(State::Cancelling { end, late: true });
        } else if fresh && !stands.closed && stands.page.is_some() {
            self.act_as(State::Cancelling { end, late: true });
        }
    }
}
