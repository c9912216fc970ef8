//! Capture of what is held, and the ruling on what is in review.

use crate::client::Answer;
use crate::fields::whole_rupiah;
use crate::gateway::Midtrans;
use crate::transaction::{Meaning, Transaction};
use ordermill_domain::payment::{GatewayError, GatewayPayment, PaymentPart, Ruling, Subject};
use serde_json::json;
use uuid::Uuid;

impl Midtrans {
    pub(crate) async fn capture(
        &self,
        subject: &Subject,
        part: &PaymentPart,
    ) -> Result<GatewayPayment, GatewayError> {
        let rejected = |code: &str, text: &str| {
            Err(GatewayError::Rejected { code: code.to_owned(), text: text.to_owned() })
        };
        let transaction = match self.find(subject).await? {
            Some(found) if found.meaning == Meaning::Held => found,
            // Captured by now, or gone: the answer says which.
            other => return Ok(self.answer(subject, other)),
        };
        let Some(amount) = whole_rupiah(part.amount) else {
            return rejected("amount", "it is not an amount of whole rupiah");
        };
        let name = self.name(subject);
        let id = transaction.id.as_deref().unwrap_or(&name);
        let body = json!({ "transaction_id": id, "gross_amount": amount });
        let once = Uuid::new_v5(&part.key.0, b"capture");
        let answer = self.post_api(subject, "capture", "/v2/capture", body, Some(once)).await?;
        match answer.code {
            200 | 201 => self.moved(subject, &answer).await,
            406 | 412 => self.retrieve(subject).await,
            // The bank denied it; it is still held.
            202 => rejected("202", &answer.text),
            _ => Err(answer.error()),
        }
    }

    pub(crate) async fn review(
        &self,
        subject: &Subject,
        ruling: Ruling,
    ) -> Result<GatewayPayment, GatewayError> {
        let transaction = match self.find(subject).await? {
            Some(found) if found.meaning == Meaning::InReview => found,
            other => return Ok(self.answer(subject, other)),
        };
        let verb = match ruling {
            Ruling::Accept => "approve",
            Ruling::Deny => "deny",
        };
        let name = self.name(subject);
        let path = format!("/v2/{}/{verb}", transaction.id.as_deref().unwrap_or(&name));
        let answer = self.post_api(subject, verb, &path, json!({}), None).await?;
        match answer.code {
            200..=202 => self.moved(subject, &answer).await,
            404 | 412 => self.retrieve(subject).await,
            _ => Err(answer.error()),
        }
    }

    /// What Midtrans has after it did something: its answer says so, where it is complete.
    async fn moved(
        &self,
        subject: &Subject,
        answer: &Answer,
    ) -> Result<GatewayPayment, GatewayError> {
        match Transaction::read(&answer.body, &self.settings, &self.name(subject)) {
            Ok(transaction) => Ok(self.answer(subject, Some(transaction))),
            Err(_) => self.retrieve(subject).await,
        }
    }
}
