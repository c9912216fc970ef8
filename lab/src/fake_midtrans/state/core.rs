//! Core API: status, cancel, expire, capture, approve, deny.

use super::State;
use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::Fault;
use crate::fake_midtrans::payment_type::PaymentType;
use crate::fake_midtrans::transaction::{Fraud, Status, Transaction};
use ordermill_domain::clock::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// The answer where a status does not allow a change.
const NOT_CHANGEABLE: &str = "Merchant cannot modify the status of the transaction";

/// The answer where nothing has this id.
const NOT_FOUND: &str = "Transaction doesn't exist.";

impl State {
    /// `GET /v2/{id}/status`, as it was `lag` ago.
    pub(super) fn status(&self, now: Timestamp, id: &str, lag: Duration) -> ApiAnswer {
        let found = self.find(id).and_then(|index| self.transactions[index].seen(now, lag));
        match found {
            // DANA is found by the transaction's id only.
            Some(seen) if seen.payment_type != PaymentType::Dana || seen.transaction_id == id => {
                let message = match seen.status {
                    Status::Expire => "Success, transaction has expired",
                    _ => "Success, transaction is found",
                };
                self.about(seen, seen.status_code(), message)
            }
            Some(_) | None => ApiAnswer::core("404", NOT_FOUND),
        }
    }

    /// `POST /v2/{id}/cancel`.
    pub(super) fn cancel(&mut self, now: Timestamp, id: &str) -> ApiAnswer {
        let is_possible = |transaction: &Transaction| {
            matches!(transaction.status, Status::Pending | Status::Authorize | Status::Capture)
        };
        self.modify(now, id, is_possible, ("200", "Success, transaction is canceled"), |one| {
            one.status = Status::Cancel;
        })
    }

    /// `POST /v2/{id}/expire`. Success is 407.
    pub(super) fn expire(&mut self, now: Timestamp, id: &str) -> ApiAnswer {
        let is_possible = |transaction: &Transaction| transaction.status == Status::Pending;
        self.modify(now, id, is_possible, ("407", "Success, transaction has expired"), |one| {
            one.status = Status::Expire;
        })
    }

    /// `POST /v2/capture`.
    pub(super) fn capture(
        &mut self,
        now: Timestamp,
        body: &Value,
        fault: Option<Fault>,
    ) -> ApiAnswer {
        let Some(id) = body["transaction_id"].as_str() else {
            return ApiAnswer::core("400", "transaction_id is required");
        };
        let Some(amount) = body["gross_amount"].as_i64().filter(|amount| *amount >= 1) else {
            return ApiAnswer::core("400", "gross_amount is not a positive integer number");
        };
        let own = self.find(id).map(|index| self.transactions[index].current());
        let Some(own) = own.filter(|transaction| transaction.transaction_id == id) else {
            return ApiAnswer::core("404", NOT_FOUND);
        };
        if own.status != Status::Authorize {
            return ApiAnswer::core("412", NOT_CHANGEABLE);
        }
        if amount > own.gross_amount {
            return ApiAnswer::core("414", "Capture amount exceeds the authorized amount");
        }
        if fault == Some(Fault::DeniedByBank) {
            let mut denied = own.body(&self.account.merchant_id, "202", "Capture denied by bank");
            denied.insert("transaction_status".to_owned(), "deny".into());
            return ApiAnswer::json(200, &Value::Object(denied));
        }
        let id = id.to_owned();
        self.modify(
            now,
            &id,
            |_| true,
            ("200", "Success, transaction is captured"),
            |one| {
                one.status = Status::Capture;
                one.gross_amount = amount;
                one.settled_at = Some(now);
            },
        )
    }

    /// `POST /v2/{id}/approve`.
    pub(super) fn approve(&mut self, now: Timestamp, id: &str) -> ApiAnswer {
        self.modify(now, id, is_in_review, ("200", "Success, transaction is approved"), |one| {
            one.fraud = Fraud::Accept;
            one.settled_at = Some(now);
        })
    }

    /// `POST /v2/{id}/deny`.
    pub(super) fn deny_review(&mut self, now: Timestamp, id: &str) -> ApiAnswer {
        self.modify(now, id, is_in_review, ("200", "Success, transaction is denied"), |one| {
            one.status = Status::Deny;
            one.fraud = Fraud::Deny;
        })
    }

    /// Changes a transaction if its status allows that, and answers with it.
    pub(super) fn modify(
        &mut self,
        now: Timestamp,
        id: &str,
        is_possible: impl FnOnce(&Transaction) -> bool,
        (code, message): (&str, &str),
        change: impl FnOnce(&mut Transaction),
    ) -> ApiAnswer {
        let Some(index) = self.find(id) else { return ApiAnswer::core("404", NOT_FOUND) };
        if !is_possible(self.transactions[index].current()) {
            return ApiAnswer::core("412", NOT_CHANGEABLE);
        }
        self.change(now, index, change);
        self.about(self.transactions[index].current(), code, message)
    }

    fn about(&self, transaction: &Transaction, code: &str, message: &str) -> ApiAnswer {
        let body = transaction.body(&self.account.merchant_id, code, message);
        ApiAnswer::json(200, &Value::Object(body))
    }
}

fn is_in_review(transaction: &Transaction) -> bool {
    transaction.status == Status::Capture && transaction.fraud == Fraud::Challenge
}
