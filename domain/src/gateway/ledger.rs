//! The ledger: what a request or a visit does to the entry under its key. Pure.
//!
//! Every request may come any number of times, in any order. A key is captured once at the most, and never more is
//! refunded than was captured.

use super::entry::{Booking, Entry, EntryStatus, LedgerRefund, Review};
use super::methods::{GatewayPolicy, Method};
use super::response::{GatewayResponse, LedgerAnswer, LedgerNotification, Visit, VisitOutcome};
use crate::clock::{Timestamp, storable};
use crate::payment::{
    GatewayError, GatewayRequest, Operation, PaymentPart, Ruling, Subject, Terms,
};
use std::time::Duration;

/// How long after a page was cancelled the money arrives of a customer who was on it (`test_redirect_late`): long
/// enough that the answer to the cancel is known by then.
pub const LATE_MONEY_AFTER: Duration = Duration::from_secs(1);

/// Why a request is not done.
type Refusal = Result<(), GatewayError>;

impl Entry {
    /// Does what is asked.
    pub fn ask(
        &mut self,
        request: &GatewayRequest,
        policy: &GatewayPolicy,
        at: Timestamp,
    ) -> GatewayResponse {
        let notification = self.book_late_money(at);
        let mut delay = Duration::ZERO;
        let refusal = match &request.operation {
            Operation::Create(terms) => {
                self.charge_attempts += 1;
                let (nth, method) = (self.charge_attempts, Method::named(&request.subject.method));
                let created = self.create(&request.subject, terms, policy, at);
                let is_lost = self.status == EntryStatus::Asked;
                if created.is_ok() && (is_lost || method.silent(nth)) {
                    return GatewayResponse::now(LedgerAnswer::Silence);
                }
                delay = method.delay(nth);
                created
            }
            Operation::Retrieve => Ok(()),
            Operation::Capture(_) => Err(rejected("nothing_held", "no authorised amount is held")),
            Operation::Cancel => {
                self.cancel(at);
                Ok(())
            }
            Operation::Refund(part) => self.refund(part, at),
            Operation::Review(ruling) => self.review(*ruling, at),
        };
        let answer = refusal.map(|()| Box::new(self.payment(policy, at)));
        GatewayResponse {
            answer: LedgerAnswer::Asked(answer),
            delay,
            notification,
            late_at: self.details.late_at,
        }
    }

    /// Does what a customer does at the page.
    pub fn visit(&mut self, visit: Visit, at: Timestamp) -> GatewayResponse {
        let late = self.book_late_money(at);
        let outcome = match visit {
            _ if self.details.page_ends_at.is_none() => VisitOutcome::NoPage,
            _ if self.is_captured() => VisitOutcome::PaidBefore,
            _ if !self.is_page_open(at) => VisitOutcome::Closed,
            Visit::Pay => {
                self.capture(at);
                VisitOutcome::Paid
            }
            Visit::Decline => {
                self.note_try(false, Some("declined".to_owned()));
                VisitOutcome::Denied
            }
            Visit::Choose => {
                self.note_try(true, None);
                VisitOutcome::Chosen
            }
            Visit::Leave => VisitOutcome::Abandoned,
        };
        let is_news =
            matches!(outcome, VisitOutcome::Paid | VisitOutcome::Denied | VisitOutcome::Chosen);
        let notification = late.or_else(|| self.notification().filter(|_| is_news));
        let late_at = self.details.late_at;
        GatewayResponse {
            notification,
            late_at,
            ..GatewayResponse::now(LedgerAnswer::Visited(outcome))
        }
    }

    fn create(
        &mut self,
        subject: &Subject,
        terms: &Terms,
        policy: &GatewayPolicy,
        at: Timestamp,
    ) -> Refusal {
        let asked = Booking {
            order_id: subject.order_id,
            amount: subject.due,
            method: subject.method.clone(),
        };
        let method = Method::named(&asked.method);
        match &self.booking {
            None => self.booking = Some(asked),
            Some(booked) if *booked == asked => {}
            Some(_) => {
                let text = "another order, amount or method was requested under this key";
                return Err(rejected("key_reused", text));
            }
        }
        match self.status {
            EntryStatus::Asked if method.ignores(self.charge_attempts) => {}
            EntryStatus::Asked | EntryStatus::Open if method.needs_page() => {
                // A second page replaces the first.
                self.details.page_ends_at = Some(storable(terms.expires_at));
                self.stand(EntryStatus::Open, at);
            }
            EntryStatus::Asked if method.declines(self.key, policy) => {
                self.stand(EntryStatus::Declined, at);
            }
            EntryStatus::Asked => {
                self.details.review = (method == Method::Review).then_some(Review::Waiting);
                self.capture(at);
            }
            EntryStatus::Open
            | EntryStatus::Charged
            | EntryStatus::Declined
            | EntryStatus::Cancelled
            | EntryStatus::Refunded => {}
        }
        Ok(())
    }

    /// Captures what is booked. Called once: the entry never stands again where a capture is possible.
    fn capture(&mut self, at: Timestamp) {
        self.captured_minor = self.booking.as_ref().map_or(0, |booking| booking.amount.minor);
        self.transaction_id = Some(format!("sim-{}", self.key.0.simple()));
        self.note_try(false, None);
        self.stand(EntryStatus::Charged, at);
    }

    /// Notes the customer's latest try: it is pending, or denied, or neither.
    fn note_try(&mut self, is_chosen: bool, denied: Option<String>) {
        self.details.is_chosen = is_chosen;
        self.details.denied = denied;
    }

    /// Sees to it that no more money comes. What was captured stays, but for what is in review: it is released.
    fn cancel(&mut self, at: Timestamp) {
        match self.status {
            EntryStatus::Asked => self.stand(EntryStatus::Cancelled, at),
            EntryStatus::Open => {
                let comes_late = self.method() == Some(Method::RedirectLate);
                self.details.late_at = comes_late.then(|| at + LATE_MONEY_AFTER);
                self.stand(EntryStatus::Cancelled, at);
            }
            EntryStatus::Charged if self.is_in_review() => self.release(at),
            EntryStatus::Charged
            | EntryStatus::Declined
            | EntryStatus::Cancelled
            | EntryStatus::Refunded => {}
        }
    }

    /// Books money that has arrived by `at`, and says so.
    fn book_late_money(&mut self, at: Timestamp) -> Option<LedgerNotification> {
        if !self.is_late_money_due(at) {
            return None;
        }
        self.details.late_at = None;
        self.capture(at);
        self.notification()
    }

    /// Refunds a part, once a key.
    fn refund(&mut self, part: &PaymentPart, at: Timestamp) -> Refusal {
        self.refund_attempts += 1;
        let minor = part.amount.minor;
        let method = self.method().unwrap_or(Method::Ordinary);
        if let Some(known) = self.details.refunds.iter().find(|refund| refund.key == part.key) {
            let same = known.amount_minor == minor;
            let text = "another amount was refunded under this key";
            return if same { Ok(()) } else { Err(rejected("key_reused", text)) };
        }
        let currency = self.booking.as_ref().map(|booking| booking.amount.currency);
        if !self.is_captured() {
            return Err(rejected("not_captured", "nothing was captured under this key"));
        } else if currency != Some(part.amount.currency) {
            return Err(rejected("wrong_currency", "another currency was captured"));
        } else if self.is_in_review() {
            return Err(rejected("in_review", "the payment is in review"));
        } else if minor <= 0 || minor > self.held_minor() {
            let text = format!("expected an amount from 1 to {}", self.held_minor());
            return Err(rejected("wrong_amount", &text));
        } else if method == Method::RefundByHand {
            return Err(GatewayError::NotSupported);
        } else if method.refuses_refund(self.refund_attempts) {
            return Err(GatewayError::Unknown("the refund failed".to_owned()));
        }
        self.details.refunds.push(LedgerRefund { key: part.key, amount_minor: minor });
        self.refunded_minor += minor;
        if self.held_minor() == 0 {
            self.stand(EntryStatus::Refunded, at);
        }
        Ok(())
    }

    fn review(&mut self, ruling: Ruling, at: Timestamp) -> Refusal {
        match (self.details.review, ruling) {
            (Some(Review::Waiting), Ruling::Accept) => self.details.review = Some(Review::Accepted),
            (Some(Review::Waiting), Ruling::Deny) => self.release(at),
            (Some(Review::Accepted), Ruling::Accept) | (Some(Review::Denied), Ruling::Deny) => {}
            (Some(Review::Accepted), Ruling::Deny)
            | (Some(Review::Denied), Ruling::Accept)
            | (None, _) => return Err(rejected("not_in_review", "the payment is not in review")),
        }
        Ok(())
    }

    /// Gives back what is in review.
    fn release(&mut self, at: Timestamp) {
        self.details.review = Some(Review::Denied);
        self.refunded_minor = self.captured_minor;
        self.stand(EntryStatus::Refunded, at);
    }

    /// What is told after something happened at the page. None: the method never tells.
    fn notification(&self) -> Option<LedgerNotification> {
        let booking = self.booking.as_ref()?;
        let notifies = Method::named(&booking.method).notifies();
        notifies.then_some(LedgerNotification {
            order_id: booking.order_id,
            claimed_minor: self.captured_minor,
        })
    }
}

fn rejected(code: &str, text: &str) -> GatewayError {
    GatewayError::Rejected { code: code.to_owned(), text: text.to_owned() }
}
