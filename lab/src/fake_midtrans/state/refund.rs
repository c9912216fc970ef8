//! Core API: refund, and the bank's confirmation that follows.

use super::{BANK_CONFIRMS_AFTER, State};
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::Fault;
use crate::fake_midtrans::payment_type::Refundable;
use crate::fake_midtrans::transaction::{Refund, Status, Transaction};
use ordermill_domain::clock::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// After this the fake has forgotten a refund's key, and the same key is another refund.
pub const KEY_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Transaction {
    /// Adds a refund, and changes the status with it.
    pub(super) fn add_refund(&mut self, refund: Refund) {
        self.refunds.push(refund);
        self.status = match self.refunded() >= self.gross_amount {
            true => Status::Refund,
            false => Status::PartialRefund,
        };
    }
}

impl State {
    /// `POST /v2/{id}/refund`.
    pub(super) fn refund(
        &mut self,
        now: Timestamp,
        id: &str,
        body: &Value,
        fault: Option<Fault>,
    ) -> ApiAnswer {
        let Some(index) = self.find(id) else {
            return ApiAnswer::core("404", "Transaction doesn't exist.");
        };
        let fresh_key = self.new_id().to_string();
        let transaction = self.transactions[index].current();
        let refund = match read_refund(now, transaction, body, fresh_key) {
            Ok(refund) => refund,
            Err(answer) => return answer,
        };
        if self.balance.is_some_and(|balance| refund.amount > balance) {
            return ApiAnswer::core("414", "Insufficient merchant balance for this refund");
        }
        if fault == Some(Fault::DeniedByBank) {
            let mut denied =
                transaction.body(&self.account.merchant_id, "202", "Refund denied by the bank");
            denied.insert("refund_amount".to_owned(), "0.00".into());
            denied.insert("refund_key".to_owned(), refund.key.into());
            return ApiAnswer::json(200, &Value::Object(denied));
        }
        if let Some(balance) = &mut self.balance {
            *balance -= refund.amount;
        }
        let id = transaction.transaction_id.clone();
        self.modify(
            now,
            &id,
            |_| true,
            ("200", "Success, refund request is approved"),
            |one| {
                one.add_refund(refund);
            },
        )
    }

    /// Has the bank confirm a transaction's refunds whose time has come, and tells of each.
    pub(super) fn confirm_refunds(&mut self, now: Timestamp, index: usize) {
        loop {
            let refunds = &self.transactions[index].current().refunds;
            let next = refunds.iter().position(|refund| {
                refund.bank_confirmed_at.is_none() && refund.created_at + BANK_CONFIRMS_AFTER <= now
            });
            let Some(number) = next else { return };
            self.change(now, index, |transaction| {
                transaction.refunds[number].bank_confirmed_at = Some(now);
            });
        }
    }
}

fn read_refund(
    now: Timestamp,
    transaction: &Transaction,
    body: &Value,
    fresh_key: String,
) -> Result<Refund, ApiAnswer> {
    let refuse = |code, text: &str| Err(ApiAnswer::core(code, text));
    let left = transaction.gross_amount - transaction.refunded();
    let key = match &body["refund_key"] {
        Value::Null => fresh_key,
        Value::String(key) if is_key(key) => key.clone(),
        _ => return refuse("400", "refund_key may have letters, digits, - and _ only"),
    };
    let amount = match &body["amount"] {
        Value::Null => left,
        value => match value.as_i64().filter(|amount| *amount >= 1) {
            Some(amount) => amount,
            None => return refuse("400", "amount is not a positive integer number"),
        },
    };
    let is_known = |refund: &Refund| refund.key == key && now < refund.created_at + KEY_LIFE;
    if transaction.refunds.iter().any(is_known) {
        return refuse("406", "Duplicate refund ID");
    }
    if !matches!(transaction.status, Status::Settled | Status::PartialRefund) {
        return refuse("412", "Transaction status cannot be updated");
    }
    match transaction.payment_type.refundable() {
        Refundable::Nothing => {
            return refuse("412", "Refund is not supported for this payment type");
        }
        Refundable::Whole if amount != transaction.gross_amount => {
            return refuse("412", "Partial refund is not supported for this payment type");
        }
        Refundable::Whole | Refundable::Parts => {}
    }
    if amount > left {
        return refuse("414", "Refund amount exceeds the amount that is left");
    }
    let reason = body["reason"].as_str().unwrap_or_default().to_owned();
    Ok(Refund { key, amount, reason, created_at: now, bank_confirmed_at: None })
}

fn is_key(key: &str) -> bool {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    !key.is_empty() && key.chars().all(is_allowed)
}
