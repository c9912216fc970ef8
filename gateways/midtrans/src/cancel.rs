//! Cancel: the page first, then the transaction. In the other order a page could take another try after the
//! transaction was cancelled.

use crate::create::Created;
use crate::fields::whole_rupiah;
use crate::gateway::Midtrans;
use crate::methods::enabled_payments;
use crate::retrieve::answer;
use crate::transaction::{Meaning, Transaction};
use chrono::TimeDelta;
use ordermill_domain::payment::{GatewayError, GatewayPayment, Subject, Terms};
use serde_json::json;

/// How the page is after it was asked to be cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageState {
    /// It takes no try any more.
    Closed,
    /// A try is under way that cannot be stopped.
    Busy,
}

impl Midtrans {
    pub(crate) async fn cancel(&self, subject: &Subject) -> Result<GatewayPayment, GatewayError> {
        let page = self.cancel_page(subject).await?;
        let found = self.find(subject).await?;
        let is_paid = found.as_ref().is_some_and(|found| found.meaning == Meaning::Captured);
        // What was paid ends the page. All else may still become anything.
        if page == PageState::Busy && !is_paid {
            return Err(GatewayError::Unknown("a try is under way at the page".into()));
        }
        let transaction = match found {
            Some(transaction) if can_cancel(&transaction) => transaction,
            other => return Ok(answer(subject, other, true)),
        };
        match self.cancel_transaction(subject, &transaction).await? {
            true if is_paid => Ok(transaction.voided(subject)),
            true => Ok(cancelled(&transaction, subject)),
            // It moved on meanwhile.
            false => Ok(match self.find(subject).await? {
                Some(moved) if is_paid && moved.status == "cancel" => moved.voided(subject),
                moved => answer(subject, moved, true),
            }),
        }
    }

    /// Cancels a transaction. False: it is not in a state that can be cancelled.
    pub(crate) async fn cancel_transaction(
        &self,
        subject: &Subject,
        transaction: &Transaction,
    ) -> Result<bool, GatewayError> {
        let name = self.name(subject);
        let id = transaction.id.as_deref().unwrap_or(&name);
        let path = format!("/v2/{id}/cancel");
        let answer = self.post_api(subject, "cancel", &path, json!({}), None).await?;
        match answer.code {
            200 => Ok(true),
            404 | 412 => Ok(false),
            _ => Err(answer.error()),
        }
    }

    async fn cancel_page(&self, subject: &Subject) -> Result<PageState, GatewayError> {
        let token = match &subject.reference.page {
            Some(token) => token.clone(),
            None => match self.replace_page(subject).await? {
                Some(token) => token,
                None => return Ok(PageState::Closed),
            },
        };
        let path = format!("/snap/v1/transactions/{token}/cancel");
        let answer = self.post_snap(subject, "cancel page", &path, json!({})).await?;
        let text = answer.text.to_ascii_lowercase();
        let says = |words: &str| text.contains(words);
        match answer.code {
            // "Transaction is on progress", or "in progress".
            _ if says("progress") => Ok(PageState::Busy),
            200..=299 if answer.body.text("canceled_at").is_some() => Ok(PageState::Closed),
            404 => Ok(PageState::Closed),
            _ if says("already cancel") || says("not found") || says("expired") => {
                Ok(PageState::Closed)
            }
            200..=299 => Err(GatewayError::Unknown("no `canceled_at`".into())),
            _ => Err(answer.error()),
        }
    }

    /// The token of a page that replaces the one whose token nobody knows: the answer to its creation was lost. None:
    /// no page can be open.
    async fn replace_page(&self, subject: &Subject) -> Result<Option<String>, GatewayError> {
        let never_created = whole_rupiah(subject.due).is_none()
            || enabled_payments(&subject.method, false).is_empty();
        if never_created || self.is_page_over(subject) {
            return Ok(None);
        }
        let at = self.now();
        let terms = Terms { at, expires_at: at + TimeDelta::minutes(5), refundable_only: false };
        match self.create_page(subject, terms).await? {
            Created::Page { token, .. } => Ok(Some(token)),
            Created::Taken => Ok(None),
        }
    }
}

fn can_cancel(transaction: &Transaction) -> bool {
    match transaction.meaning {
        Meaning::Pending | Meaning::Held | Meaning::InReview => true,
        // Captured by a card and not settled.
        Meaning::Captured => transaction.status == "capture",
        Meaning::Denied | Meaning::Ended => false,
    }
}

fn cancelled(transaction: &Transaction, subject: &Subject) -> GatewayPayment {
    let before = transaction.payment(subject, true);
    GatewayPayment {
        reference: before.reference,
        closed: true,
        status_text: "cancel".into(),
        ..GatewayPayment::default()
    }
}
