//! A transaction: one try of a customer to pay, and how Midtrans writes it.

use super::payment_type::PaymentType;
use chrono::FixedOffset;
use ordermill_domain::clock::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;
use strum::IntoStaticStr;

/// Midtrans' `transaction_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// The customer has chosen a method and has not paid.
    Pending,
    /// Held on a card.
    Authorize,
    /// Captured from a card.
    Capture,
    /// Paid.
    #[strum(serialize = "settlement")]
    Settled,
    /// Denied by the bank, or in review; also a reversed settlement.
    Deny,
    /// Cancelled by the merchant.
    Cancel,
    /// The time to pay has passed.
    Expire,
    /// All is given back.
    Refund,
    /// A part is given back.
    PartialRefund,
}

impl Status {
    /// The word in Midtrans' bodies.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True when money is captured and not all of it given back.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Capture | Self::Settled | Self::PartialRefund)
    }

    /// True when the transaction has ended without money, and its order can be paid by another one.
    pub const fn has_ended_unpaid(self) -> bool {
        matches!(self, Self::Deny | Self::Cancel | Self::Expire)
    }
}

/// Midtrans' `fraud_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Fraud {
    /// Nothing suspicious.
    Accept,
    /// The merchant has to approve or deny it.
    Challenge,
    /// Denied.
    Deny,
}

/// A refund of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The merchant's key. In the dashboard one is made up.
    pub key: String,
    /// Whole rupiah.
    pub amount: i64,
    /// The merchant's reason.
    pub reason: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the bank confirmed it.
    pub bank_confirmed_at: Option<Timestamp>,
}

/// One try of a customer to pay. Amounts are whole rupiah.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Midtrans' id.
    pub transaction_id: String,
    /// The merchant's id of the order.
    pub order_id: String,
    /// The page at which it was begun.
    pub token: String,
    /// By which method.
    pub payment_type: PaymentType,
    /// Where it stands.
    pub status: Status,
    /// What the fraud detection says.
    pub fraud: Fraud,
    /// What the customer pays, with fees; after a partial capture what was captured.
    pub gross_amount: i64,
    /// What the merchant asked for.
    pub original_amount: i64,
    /// True when a fee is explained by `gross_amount_info`.
    pub explains_fee: bool,
    /// When the customer chose the method.
    pub created_at: Timestamp,
    /// Until when a pending one can be paid, and an authorised one captured.
    pub expires_at: Timestamp,
    /// When it was paid.
    pub settled_at: Option<Timestamp>,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
}

impl Transaction {
    /// The sum of all refunds, in whole rupiah.
    pub fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    /// The `status_code` that belongs to the status, as a status request answers it.
    pub fn status_code(&self) -> &'static str {
        match self.status {
            Status::Pending => "201",
            Status::Capture if self.fraud == Fraud::Challenge => "201",
            Status::Deny => "202",
            Status::Expire => "407",
            Status::Authorize
            | Status::Capture
            | Status::Settled
            | Status::Cancel
            | Status::Refund
            | Status::PartialRefund => "200",
        }
    }

    /// The fields of the transaction as Midtrans writes them.
    pub fn body(&self, merchant_id: &str, status_code: &str, message: &str) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        put("status_code", json!(status_code));
        put("status_message", json!(message));
        put("transaction_id", json!(self.transaction_id));
        put("order_id", json!(self.order_id));
        put("merchant_id", json!(merchant_id));
        put("gross_amount", json!(decimal(self.gross_amount)));
        put("currency", json!("IDR"));
        put("payment_type", json!(self.payment_type.as_str()));
        put("transaction_time", json!(jakarta(self.created_at)));
        put("expiry_time", json!(jakarta(self.expires_at)));
        put("transaction_status", json!(self.status_word()));
        if self.payment_type.has_fraud_status() {
            put("fraud_status", json!(<&str>::from(self.fraud)));
        }
        if let Some(at) = self.settled_at {
            put("settlement_time", json!(jakarta(at)));
        }
        for (name, value) in self.of_payment_type() {
            put(name, value);
        }
        if self.explains_fee {
            put("metadata", self.fee_info());
        }
        if !self.refunds.is_empty() {
            put("refund_amount", json!(decimal(self.refunded())));
            let refunds = self.refunds.iter().enumerate();
            put("refunds", refunds.map(|(number, refund)| refund_body(number, refund)).collect());
        }
        body
    }

    /// A DANA sample of the documentation has its pending status in upper case.
    fn status_word(&self) -> &'static str {
        match (self.payment_type, self.status) {
            (PaymentType::Dana, Status::Pending) => "PENDING",
            _ => self.status.as_str(),
        }
    }

    fn of_payment_type(&self) -> Vec<(&'static str, Value)> {
        match self.payment_type {
            PaymentType::CreditCard => {
                let mut fields = vec![
                    ("masked_card", json!("48111111-1114")),
                    ("bank", json!("bni")),
                    ("card_type", json!("credit")),
                ];
                if self.status == Status::Deny {
                    fields.push(("channel_response_message", json!("Do not honor")));
                }
                fields
            }
            PaymentType::Qris => vec![("issuer", json!("gopay")), ("acquirer", json!("gopay"))],
            PaymentType::BankTransfer => {
                vec![("va_numbers", json!([{"va_number": "9888123456789012", "bank": "bni"}]))]
            }
            PaymentType::Echannel => {
                vec![("biller_code", json!("70012")), ("bill_key", json!("990000000260"))]
            }
            PaymentType::Cstore => {
                vec![("store", json!("indomaret")), ("payment_code", json!("25709650945026"))]
            }
            PaymentType::Gopay | PaymentType::Shopeepay | PaymentType::Ovo | PaymentType::Dana => {
                Vec::new()
            }
        }
    }

    fn fee_info(&self) -> Value {
        let fee = self.gross_amount - self.original_amount;
        json!({"extra_info": {"gross_amount_info": {
            "original_amount": self.original_amount.to_string(),
            "customer_imposed_payment_fee": fee.to_string(),
        }}})
    }
}

fn refund_body(number: usize, refund: &Refund) -> Value {
    let mut body = json!({
        "refund_chargeback_id": number + 1,
        "refund_amount": decimal(refund.amount),
        "created_at": jakarta(refund.created_at),
        "reason": refund.reason,
        "refund_key": refund.key,
        "refund_method": "online",
    });
    if let Some(at) = refund.bank_confirmed_at {
        body["bank_confirmed_at"] = json!(jakarta(at));
    }
    body
}

/// An amount as Core API writes it: `145000.00`.
pub fn decimal(rupiah: i64) -> String {
    format!("{rupiah}.00")
}

/// A time as Midtrans writes it: in Jakarta, without its offset.
pub fn jakarta(at: Timestamp) -> String {
    const OFFSET_SECONDS: i32 = 7 * 3600;
    let zone = FixedOffset::east_opt(OFFSET_SECONDS).expect("seven hours are less than a day");
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A transaction with its past: looks may lag behind.
#[derive(Clone, Debug)]
pub struct History {
    /// How it stood from each moment on, oldest first. Never empty.
    steps: Vec<(Timestamp, Transaction)>,
    /// Until when the last step is not shown.
    hidden_until: Option<Timestamp>,
}

impl History {
    /// Begins with a transaction.
    pub fn new(at: Timestamp, transaction: Transaction) -> Self {
        Self { steps: vec![(at, transaction)], hidden_until: None }
    }

    /// How it stands.
    pub fn current(&self) -> &Transaction {
        &self.steps.last().expect("a history begins with a step").1
    }

    /// Changes it.
    pub fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Transaction)) {
        let mut next = self.current().clone();
        change(&mut next);
        self.steps.push((at, next));
        self.hidden_until = None;
    }

    /// Does not show the last step before a moment.
    pub const fn hide_until(&mut self, at: Timestamp) {
        self.hidden_until = Some(at);
    }

    /// What a look shows that lags behind by `lag`. None: nothing yet.
    pub fn seen(&self, now: Timestamp, lag: Duration) -> Option<&Transaction> {
        let is_hidden = self.hidden_until.is_some_and(|until| now < until);
        let shown = &self.steps[..self.steps.len() - usize::from(is_hidden)];
        shown.iter().rev().find(|(at, _)| *at + lag <= now).map(|(_, transaction)| transaction)
    }
}
