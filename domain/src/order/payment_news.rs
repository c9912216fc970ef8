//! What the payment service tells beside the answers of its step: the page where the customer can pay, where the
//! payment stands, and what a person should know.
//!
//! ```text
//! payment.action_required ─▶ the page, and the notice `order.payment_required`
//! payment.updated         ─▶ the summary that the order's view shows
//! payment.refunded        ─▶ a refund in that view
//! payment.lapsed          ─▶ compensation; once dispatch is requested, a person
//! payment.attention       ─▶ a person, if nothing goes on without one
//! ```
//!
//! Of an order that is paid at once there is no news, and nothing is stored.

use crate::messages::{PaymentRefunded, PaymentUpdated};
use crate::payment::{Attention, Page};
use serde::{Deserialize, Serialize};

/// A page where the customer can pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPage {
    /// The number of the message that told it. A later page replaces an earlier.
    pub number: u32,
    /// Where it is, and until when.
    #[serde(flatten)]
    pub page: Page,
}

/// Where the payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSummary {
    /// The number of the message that told it. A later one replaces an earlier.
    pub number: u32,
    /// What it said.
    #[serde(flatten)]
    pub update: PaymentUpdated,
}

/// A part of the money that was given back while the order went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRefund {
    /// The number of the message that told it.
    pub number: u32,
    /// What it said.
    #[serde(flatten)]
    pub refunded: PaymentRefunded,
}

/// One thing that the payment service told beside the answers of its step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFact {
    /// There is a page.
    Page(PaymentPage),
    /// Where the payment stands.
    Updated(PaymentSummary),
    /// A part of the money is given back.
    Refunded(KnownRefund),
    /// A person should know something, and nothing waits for it.
    Attention(Attention),
}

/// All that it told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentNews {
    /// The latest page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PaymentPage>,
    /// The latest summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<PaymentSummary>,
    /// The refunds, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<KnownRefund>,
    /// What a person should know. A summary is newer: what it says counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
}

impl PaymentNews {
    /// Learns a fact. False: it is not news.
    pub(super) fn learn(&mut self, fact: &PaymentFact) -> bool {
        if !self.is_new(fact) {
            return false;
        }
        match fact {
            PaymentFact::Page(page) => self.page = Some(page.clone()),
            PaymentFact::Updated(summary) => self.summary = Some(summary.clone()),
            PaymentFact::Refunded(refund) => {
                let at = self.refunds.partition_point(|known| known.number < refund.number);
                self.refunds.insert(at, refund.clone());
            }
            PaymentFact::Attention(attention) => self.attention = Some(*attention),
        }
        true
    }

    pub(super) fn is_new(&self, fact: &PaymentFact) -> bool {
        match fact {
            PaymentFact::Page(new) => {
                self.page.as_ref().is_none_or(|known| known.number < new.number)
            }
            PaymentFact::Updated(new) => {
                self.summary.as_ref().is_none_or(|known| known.number < new.number)
            }
            PaymentFact::Refunded(new) => {
                self.refunds.iter().all(|known| known.number != new.number)
            }
            PaymentFact::Attention(new) => self.attention != Some(*new),
        }
    }

    /// What a person should know now.
    pub fn attention(&self) -> Option<Attention> {
        match &self.summary {
            Some(summary) => summary.update.attention,
            None => self.attention,
        }
    }

    /// True when nothing goes on before a person acts.
    pub(super) fn needs_person(&self) -> bool {
        self.attention().is_some_and(Attention::needs_person)
    }

    /// How much was given back, in minor units, as far as it was told.
    pub fn refunded_minor(&self) -> i64 {
        let summary = self.summary.as_ref().map_or(0, |known| known.update.refunded_minor);
        let refunds = self.refunds.iter().map(|known| known.refunded.refunded_total.minor);
        refunds.fold(summary, i64::max)
    }
}
