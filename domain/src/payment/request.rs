//! The request that a payment makes of its gateway.

use super::gateway_request::{GatewayRequest, Operation, PaymentPart, Ruling, Subject, Terms};
use super::policy::Now;
use super::state::{Asking, Payment, State};
use crate::clock::Timestamp;
use crate::messages::{Flow, PaymentProcess, Plan};
use crate::money::Money;
use crate::planted::{Bug, planted};

impl Payment {
    /// The request that is under way, made now. None: none is, or the gateway has never heard of the payment.
    pub fn request(&self, now: Now<'_>) -> Option<GatewayRequest> {
        let intent = self.intent.as_ref()?;
        let operation = match self.asking? {
            Asking::Retrieve => Operation::Retrieve,
            Asking::Act => self.action(intent, now),
        };
        let key = self.key();
        let subject = Subject {
            key: if planted(Bug::FreshKey) { key.again(self.attempts) } else { key },
            order_id: self.origin.order_id,
            due: intent.total,
            method: intent.method.clone(),
            reference: self.known.reference.clone(),
            page_ends_at: self.page_ends_at,
        };
        Some(GatewayRequest { subject, operation })
    }

    fn action(&self, intent: &PaymentProcess, now: Now<'_>) -> Operation {
        match &self.state {
            State::Creating => Operation::Create(Terms {
                at: now.at,
                expires_at: self
                    .page_ends_at
                    .unwrap_or_else(|| now.policy.page_ends_at(intent.placed_at, now.at)),
                refundable_only: self.sold_out_after_paying(),
            }),
            State::Authorized | State::Capturing => Operation::Capture(self.part(
                "capture:1",
                self.due_minor(),
                self.changed_at,
                "order",
            )),
            State::InReview { ruling: Some(ruling) } => Operation::Review(*ruling),
            // What is in review cannot be cancelled everywhere: it is denied.
            State::Cancelling { .. } if self.known.in_review => Operation::Review(Ruling::Deny),
            State::Cancelling { .. } => Operation::Cancel,
            State::Refunding { .. } => {
                // What it is decided on is part of the name: another amount is another refund.
                let (captured, refunded) = (self.known.captured_minor, self.known.refunded_minor);
                let left = self.known.left_minor();
                let name = format!("undo:{captured}:{refunded}");
                Operation::Refund(self.part(&name, left, self.changed_at, "order cancelled"))
            }
            State::Approved => match self.next_refund() {
                Some(refund) => Operation::Refund(PaymentPart {
                    key: refund.key(self.key()),
                    amount: Money { minor: refund.amount_minor, ..intent.total },
                    asked_at: refund.asked_at,
                    reason: refund.reason.clone(),
                }),
                None => Operation::Retrieve,
            },
            State::AwaitingCustomer { .. }
            | State::InReview { ruling: None }
            | State::Ended { .. } => Operation::Retrieve,
        }
    }

    fn part(&self, name: &str, minor: i64, asked_at: Timestamp, reason: &str) -> PaymentPart {
        let currency = self.intent.as_ref().map(|intent| intent.total.currency);
        let currency = currency.unwrap_or(crate::money::Currency::USD);
        PaymentPart {
            key: self.key().part(name),
            amount: Money { minor, currency },
            asked_at,
            reason: reason.to_owned(),
        }
    }

    /// True when the stock is reserved after the money is taken: it must be possible to give all of it back.
    fn sold_out_after_paying(&self) -> bool {
        self.origin.plan == Plan::PaymentFirst || self.origin.flow == Flow::Choreographed
    }
}
