//! A transaction as Midtrans describes it, and what that means for a payment.
//!
//! What it means follows from two words, `transaction_status` and `fraud_status`; a word that is not known is no
//! answer.

use crate::error::printable;
use crate::fields::Fields;
use crate::settings::MidtransSettings;
use chrono::{FixedOffset, NaiveDateTime, TimeDelta, Utc};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::payment::{
    GatewayError, GatewayPayment, GatewayRefund, PartKey, PaymentTry, RefundProgress, Subject,
};
use uuid::Uuid;

/// Characters of the name of a method, and of a word, that are kept.
const WORD_CHARS_MAX: usize = 40;
/// Characters of an identifier: Midtrans' are UUIDs.
const ID_CHARS_MAX: usize = 64;
/// Midtrans releases what is held and not captured after this.
const HELD_FOR: TimeDelta = TimeDelta::days(7);

/// Midtrans' times are those of Jakarta, without saying so.
pub(crate) fn jakarta() -> FixedOffset {
    FixedOffset::east_opt(7 * 60 * 60).expect("seven hours are an offset")
}

/// True for an identifier that may stand in the path of an address.
pub(crate) fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(allowed)
}

/// What a transaction means for the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The customer chose a method and has not paid.
    Pending,
    /// Authorised, not captured.
    Held,
    /// Someone has to accept or deny it: its money does not count.
    InReview,
    /// Paid.
    Captured,
    /// The try failed; another may follow at the same page.
    Denied,
    /// It ended without money.
    Ended,
}

impl Meaning {
    /// Of two words in lower case. `fraud` is `accept` where Midtrans says nothing.
    fn of(status: &str, fraud: &str) -> Result<Self, GatewayError> {
        if !matches!(fraud, "accept" | "challenge" | "deny") {
            return Err(unknown(fraud));
        }
        Ok(match (status, fraud) {
            ("pending", _) => Self::Pending,
            ("authorize" | "capture", "challenge") => Self::InReview,
            ("authorize" | "capture", "deny") | ("deny", _) => Self::Denied,
            ("authorize", _) => Self::Held,
            ("capture" | "settlement" | "refund" | "partial_refund", _) => Self::Captured,
            ("chargeback" | "partial_chargeback", _) => Self::Captured,
            ("cancel" | "expire" | "failure", _) => Self::Ended,
            _ => return Err(unknown(status)),
        })
    }

    /// True when no money can come of it any more: another transaction may take its place.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Denied | Self::Ended)
    }
}

fn unknown(word: &str) -> GatewayError {
    GatewayError::Unknown(format!("it speaks of an unknown status `{word}`"))
}

/// A refund as Midtrans lists it.
#[derive(Clone, Debug)]
struct ListedRefund {
    key: Option<PartKey>,
    amount_minor: i64,
    is_confirmed: bool,
}

/// A transaction.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    /// Midtrans' identifier.
    pub id: Option<String>,
    /// Midtrans' word, in lower case.
    pub status: String,
    /// What it means.
    pub meaning: Meaning,
    /// Midtrans' name of the method.
    pub method: String,
    /// What the customer pays, in minor units.
    pub gross_minor: i64,
    /// What of it pays the order.
    credited_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
    refunds: Vec<ListedRefund>,
    fraud: String,
    reason: String,
    made_at: Option<Timestamp>,
}

impl Transaction {
    /// Reads a transaction of an order's name.
    ///
    /// # Errors
    /// `Unknown` for a word that is not known, `Invalid` when it is of another order, merchant or currency, or its
    /// amounts cannot be true.
    pub fn read(
        body: &Fields,
        settings: &MidtransSettings,
        name: &str,
    ) -> Result<Self, GatewayError> {
        check_owner(body, settings, name)?;
        let word = |field| body.text(field).map(word);
        let status = word("transaction_status")
            .ok_or_else(|| GatewayError::Unknown("no `transaction_status`".into()))?;
        let fraud = word("fraud_status");
        let meaning = Meaning::of(&status, fraud.as_deref().unwrap_or("accept"))?;
        let gross_minor = body.amount_minor("gross_amount")?;
        let gross_minor =
            gross_minor.ok_or_else(|| GatewayError::Invalid("no `gross_amount`".into()))?;
        let refunds = listed_refunds(body)?;
        let refunded_minor = refunded_minor(body, &status, gross_minor, &refunds)?;
        let id = body.text("transaction_id").map(str::to_owned);
        if id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(GatewayError::Invalid("`transaction_id` is malformed".into()));
        }
        // `status_message` says only that the transaction was found.
        let reason = body.text("channel_response_message").unwrap_or(&status);
        Ok(Self {
            id,
            meaning,
            method: word("payment_type").unwrap_or_else(|| "unknown".into()),
            gross_minor,
            credited_minor: credited_minor(body, gross_minor)?,
            refunded_minor,
            // Refused by the bank: listed, and nothing was given back.
            refunds: if refunded_minor == 0 { Vec::new() } else { refunds },
            fraud: fraud.map(|fraud| format!("/{fraud}")).unwrap_or_default(),
            reason: printable(reason),
            made_at: body.text("transaction_time").and_then(time),
            status,
        })
    }

    /// What the gateway has of the payment. `page_over`: the page takes no further try.
    pub fn payment(&self, subject: &Subject, page_over: bool) -> GatewayPayment {
        let mut reference = subject.reference.clone();
        reference.payment = self.id.clone().or(reference.payment);
        let mut payment = GatewayPayment {
            reference,
            status_text: format!("{}{}", self.status, self.fraud),
            ..GatewayPayment::default()
        };
        match self.meaning {
            Meaning::Pending => payment.last_try = Some(self.last_try(None)),
            Meaning::Held => {
                payment.held_minor = self.gross_minor;
                payment.capture_before = self.made_at.map(|at| at + HELD_FOR);
            }
            Meaning::InReview => {
                payment.held_minor = self.gross_minor;
                payment.in_review = true;
            }
            Meaning::Captured => {
                payment.captured_minor = self.gross_minor;
                payment.credited_minor = self.credited_minor;
                payment.refunded_minor = self.refunded_minor;
                payment.refunds = self.refunds.iter().filter_map(|r| self.refund(r)).collect();
                // A name that was paid cannot be paid again.
                payment.closed = true;
            }
            Meaning::Denied | Meaning::Ended => {
                payment.last_try = Some(self.last_try(Some(self.reason.clone())));
                payment.closed = page_over;
            }
        }
        payment
    }

    /// What the gateway has of a captured card after it was cancelled: all was given back before it left.
    pub fn voided(&self, subject: &Subject) -> GatewayPayment {
        let mut payment = self.payment(subject, true);
        payment.last_try = None;
        payment.captured_minor = self.gross_minor;
        payment.credited_minor = self.credited_minor;
        payment.refunded_minor = self.gross_minor;
        payment.status_text = "cancel".into();
        payment
    }

    /// True when Midtrans knows a refund by this key.
    pub fn has_refund(&self, key: PartKey) -> bool {
        self.refunds.iter().any(|refund| refund.key == Some(key))
    }

    /// How far a refund is that Midtrans has taken.
    pub fn progress(&self, is_confirmed: bool) -> RefundProgress {
        // Only a card's bank confirms; with all other methods the money is back at once.
        if is_confirmed || self.method != "credit_card" {
            RefundProgress::Done
        } else {
            RefundProgress::Pending
        }
    }

    fn refund(&self, listed: &ListedRefund) -> Option<GatewayRefund> {
        let progress = self.progress(listed.is_confirmed);
        Some(GatewayRefund { key: listed.key?, amount_minor: listed.amount_minor, progress })
    }

    fn last_try(&self, denied: Option<String>) -> PaymentTry {
        PaymentTry { method: self.method.clone(), denied }
    }
}

/// A word of Midtrans as it is compared: they write some in upper case.
fn word(text: &str) -> String {
    let printed = text.chars().filter(|c| c.is_ascii_graphic());
    printed.take(WORD_CHARS_MAX).collect::<String>().to_ascii_lowercase()
}

fn check_owner(body: &Fields, settings: &MidtransSettings, name: &str) -> Result<(), GatewayError> {
    let other = |what: &str| Err(GatewayError::Invalid(format!("it is of another {what}")));
    if body.text("order_id") != Some(name) {
        return other("order");
    }
    if body.get("currency").is_some_and(|currency| currency != "IDR") {
        return other("currency");
    }
    let merchant = settings.merchant_id.as_deref().zip(body.text("merchant_id"));
    if merchant.is_some_and(|(ours, theirs)| ours != theirs) {
        return other("merchant");
    }
    Ok(())
}

/// What of the gross amount pays the order: Midtrans can add its fee to what the customer pays.
fn credited_minor(body: &Fields, gross_minor: i64) -> Result<i64, GatewayError> {
    let outer = body.object("metadata").and_then(|metadata| metadata.object("extra_info"));
    let extra = outer.or_else(|| body.object("extra_info"));
    let Some(info) = extra.and_then(|extra| extra.object("gross_amount_info")) else {
        return Ok(gross_minor);
    };
    let invalid = || GatewayError::Invalid("`gross_amount_info` does not add up".into());
    let original = info.amount_minor("original_amount")?.ok_or_else(invalid)?;
    let fee = info.amount_minor("customer_imposed_payment_fee")?;
    let fee = fee.unwrap_or(gross_minor - original);
    let adds_up = fee >= 0 && original.checked_add(fee) == Some(gross_minor);
    if adds_up { Ok(original) } else { Err(invalid()) }
}

fn listed_refunds(body: &Fields) -> Result<Vec<ListedRefund>, GatewayError> {
    let listed = body.objects("refunds").into_iter().map(|refund| {
        let key = refund.text("refund_key").and_then(|key| Uuid::try_parse(key).ok());
        Ok(ListedRefund {
            key: key.map(PartKey),
            amount_minor: refund.amount_minor("refund_amount")?.unwrap_or(0),
            is_confirmed: refund.text("bank_confirmed_at").is_some(),
        })
    });
    listed.collect()
}

/// What was given back, of a transaction that was captured.
fn refunded_minor(
    body: &Fields,
    status: &str,
    gross_minor: i64,
    refunds: &[ListedRefund],
) -> Result<i64, GatewayError> {
    let listed = refunds.iter().fold(0_i64, |sum, refund| sum.saturating_add(refund.amount_minor));
    let refunded = match body.amount_minor("refund_amount")? {
        Some(refunded) => refunded,
        None if status == "refund" && listed == 0 => gross_minor,
        None => listed,
    };
    if refunded > gross_minor {
        return Err(GatewayError::Invalid("more was refunded than was captured".into()));
    }
    Ok(refunded)
}

fn time(text: &str) -> Option<Timestamp> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    time.and_local_timezone(jakarta()).single().map(|time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests;
