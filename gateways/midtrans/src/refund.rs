//! Refund: a part of what was captured goes back, once a key.
//!
//! Midtrans remembers a key for seven days. Afterwards the same key would be a second refund, so it is not used any
//! more, and a person has to look.

use crate::client::Answer;
use crate::error;
use crate::fields::whole_rupiah;
use crate::gateway::Midtrans;
use crate::methods::{Refundable, refundable};
use crate::transaction::{Meaning, Transaction};
use chrono::TimeDelta;
use ordermill_domain::payment::{
    GatewayError, GatewayPayment, GatewayRefund, PaymentPart, Subject,
};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// How long a key is used: a day less than Midtrans remembers it.
const KEY_LIFE: TimeDelta = TimeDelta::days(6);
/// A card that was captured is settled the next day. Until then it cannot be refunded in parts.
const SETTLEMENT_PAUSE: Duration = Duration::from_mins(10);
/// Characters of a reason for Midtrans' books.
const REASON_CHARS_MAX: usize = 100;

impl Midtrans {
    pub(crate) async fn refund(
        &self,
        subject: &Subject,
        part: &PaymentPart,
    ) -> Result<GatewayPayment, GatewayError> {
        let Some(transaction) = self.find(subject).await? else {
            return Err(rejected(404, "there is no transaction"));
        };
        let before = transaction.payment(subject, self.is_page_over(subject));
        match transaction.meaning {
            _ if transaction.has_refund(part.key) => Ok(before),
            // A cancel gave all of it back.
            Meaning::Ended if transaction.status == "cancel" => {
                Ok(refunded(transaction.voided(subject), &transaction, part))
            }
            Meaning::Captured => self.refund_captured(subject, part, &transaction, before).await,
            _ => Err(rejected(412, &format!("the transaction is {}", before.status_text))),
        }
    }

    async fn refund_captured(
        &self,
        subject: &Subject,
        part: &PaymentPart,
        transaction: &Transaction,
        before: GatewayPayment,
    ) -> Result<GatewayPayment, GatewayError> {
        let is_whole =
            transaction.refunded_minor == 0 && part.amount.minor == transaction.gross_minor;
        let is_settled = transaction.status != "capture";
        if !is_settled && is_whole && self.cancel_transaction(subject, transaction).await? {
            return Ok(refunded(transaction.voided(subject), transaction, part));
        }
        let by_api = match refundable(&transaction.method) {
            Refundable::Nothing => false,
            Refundable::Whole => is_whole,
            Refundable::Parts => true,
        };
        if !by_api || self.now() - part.asked_at > KEY_LIFE {
            return Err(GatewayError::NotSupported);
        }
        let answer = self.post_refund(subject, part, transaction).await?;
        match answer.code {
            200 | 201 => {
                let sum = before.refunded_minor + part.amount.minor;
                let refunded_minor = sum.min(before.captured_minor);
                Ok(refunded(GatewayPayment { refunded_minor, ..before }, transaction, part))
            }
            406 => self.known_refund(subject, part).await,
            412 if is_settled => Err(GatewayError::NotSupported),
            412 => Err(error::busy(Some(SETTLEMENT_PAUSE))),
            // Denied by the bank.
            202 => Err(rejected(202, &answer.text)),
            200..=299 => Err(GatewayError::Unknown(format!("code {}", answer.code))),
            _ => Err(answer.error()),
        }
    }

    async fn post_refund(
        &self,
        subject: &Subject,
        part: &PaymentPart,
        transaction: &Transaction,
    ) -> Result<Answer, GatewayError> {
        let Some(amount) = whole_rupiah(part.amount) else {
            return Err(rejected(414, "the amount is not one of whole rupiah"));
        };
        let reason: String =
            error::printable(&part.reason).chars().take(REASON_CHARS_MAX).collect();
        let body =
            json!({ "refund_key": part.key.to_string(), "amount": amount, "reason": reason });
        let name = self.name(subject);
        let path = format!("/v2/{}/refund", transaction.id.as_deref().unwrap_or(&name));
        let once = Uuid::new_v5(&part.key.0, b"refund");
        self.post_api(subject, "refund", &path, body, Some(once)).await
    }

    /// Midtrans says that it has a refund by this key.
    async fn known_refund(
        &self,
        subject: &Subject,
        part: &PaymentPart,
    ) -> Result<GatewayPayment, GatewayError> {
        match self.find(subject).await? {
            Some(transaction) if transaction.has_refund(part.key) => {
                Ok(transaction.payment(subject, self.is_page_over(subject)))
            }
            _ => Err(GatewayError::Unknown("it knows the refund and does not list it".into())),
        }
    }
}

fn rejected(code: u16, text: &str) -> GatewayError {
    GatewayError::Rejected { code: code.to_string(), text: text.to_owned() }
}

/// With a refund that Midtrans has just taken.
fn refunded(
    mut payment: GatewayPayment,
    transaction: &Transaction,
    part: &PaymentPart,
) -> GatewayPayment {
    // What was cancelled never left the customer's account.
    let is_confirmed = payment.status_text == "cancel";
    payment.refunds.push(GatewayRefund {
        key: part.key,
        amount_minor: part.amount.minor,
        progress: transaction.progress(is_confirmed),
    });
    payment
}
