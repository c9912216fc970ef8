//! Everything that the fake has, as JSON: for tests and scripts that have no other way to look at it.

use super::state::{Page, State};
use super::transaction::Transaction;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pages and transactions, oldest first, and how many requests of each kind came.
pub(super) fn json(state: &State) -> Value {
    let mut requests = BTreeMap::<_, u64>::new();
    for request in state.requests() {
        *requests.entry(request.target.call.as_str()).or_default() += 1;
    }
    let pages: Vec<_> = state.pages().iter().map(page).collect();
    let transactions: Vec<_> = state.transactions().iter().map(transaction).collect();
    json!({"pages": pages, "transactions": transactions, "requests": requests})
}

fn page(page: &Page) -> Value {
    json!({
        "token": page.token,
        "order_id": page.order_id,
        "gross_amount": page.gross_amount,
        "state": page.state.as_str(),
        "enabled_payments": page.enabled_payments,
        "expires_at": page.expires_at,
    })
}

fn transaction(transaction: &Transaction) -> Value {
    let refunds = transaction.refunds.iter();
    let refunds = refunds.map(|refund| json!({"key": refund.key, "amount": refund.amount}));
    json!({
        "transaction_id": transaction.transaction_id,
        "order_id": transaction.order_id,
        "payment_type": transaction.payment_type.as_str(),
        "status": transaction.status.as_str(),
        "gross_amount": transaction.gross_amount,
        "refunded": transaction.refunded(),
        "refunds": refunds.collect::<Vec<_>>(),
    })
}
