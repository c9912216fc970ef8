//! Confirmation: how an order's payment stands, asked of whichever process runs the payment service.
//!
//! ```text
//! PaymentConfirmation::ask ──{"order_id"}──▶ payment.confirmation ──▶ PaymentResponder ──▶ committed rows
//!            ▲                                                             │
//!            └── {"order_id", "status", "amount", …} or {"error": "…"} ◀───┘
//! ```
//!
//! A question changes nothing and is kept nowhere: who gets no answer asks again.

use super::reads::PaymentReads;
use super::rpc_schemas::{RpcSchemas, debug_assert_described};
use crate::ports::{Responder, Rpc, RpcError};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::RPC_PAYMENT;
use ordermill_domain::money::{Currency, Money, MoneyError};
use ordermill_domain::payment::{
    Attention, PaymentStatus, PaymentTry, PaymentView, Provider, Refund,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfirmationQuestion")]
struct Question {
    order_id: OrderId,
}

/// Instead of a payment.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfirmationFailed")]
struct Failed {
    error: Failure,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConfirmationFailure")]
enum Failure {
    /// The order has no payment yet.
    NotFound,
    /// The payment service's database is away.
    Unavailable,
    /// The question cannot be read.
    BadQuestion,
}

/// A payment as it travels: amounts are decimals, as they are everywhere outside.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ConfirmedPayment {
    order_id: OrderId,
    status: PaymentStatus,
    currency: Option<Currency>,
    #[schemars(with = "Option<f64>")]
    amount: Option<Box<RawValue>>,
    #[schemars(with = "Option<f64>")]
    captured: Option<Box<RawValue>>,
    #[schemars(with = "Option<f64>")]
    refunded: Option<Box<RawValue>>,
    method: Option<String>,
    transaction_id: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    provider: Provider,
    #[serde(default)]
    last_try: Option<PaymentTry>,
    #[serde(default)]
    attention: Option<Attention>,
    #[serde(default)]
    refunds: Vec<Refund>,
    #[serde(default)]
    note: Option<String>,
    attempts: u32,
    due_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

/// The schemas of a question to `payment.confirmation` and of its answers.
pub(super) fn schemas(generator: &mut SchemaGenerator) -> RpcSchemas {
    RpcSchemas {
        address: RPC_PAYMENT,
        question: generator.subschema_for::<Question>(),
        answers: vec![
            generator.subschema_for::<ConfirmedPayment>(),
            generator.subschema_for::<Failed>(),
        ],
    }
}

impl From<PaymentView> for ConfirmedPayment {
    fn from(view: PaymentView) -> Self {
        let decimal = |money: Option<Money>| {
            money.and_then(|money| RawValue::from_string(money.decimal()).ok())
        };
        Self {
            order_id: view.order_id,
            status: view.status,
            // All of a payment's amounts are of one currency.
            currency: view.amount.or(view.captured).or(view.refunded).map(|money| money.currency),
            amount: decimal(view.amount),
            captured: decimal(view.captured),
            refunded: decimal(view.refunded),
            method: view.method,
            transaction_id: view.transaction_id,
            reason: view.reason,
            provider: view.provider,
            last_try: view.last_try,
            attention: view.attention,
            refunds: view.refunds,
            note: view.note,
            attempts: view.attempts,
            due_at: view.due_at,
            created_at: view.created_at,
            updated_at: view.updated_at,
            version: view.version,
        }
    }
}

impl ConfirmedPayment {
    fn into_view(self) -> Result<PaymentView, MoneyError> {
        let money = |decimal: Option<Box<RawValue>>| {
            let both = decimal.zip(self.currency);
            both.map(|(decimal, currency)| Money::parse(decimal.get(), currency)).transpose()
        };
        Ok(PaymentView {
            order_id: self.order_id,
            status: self.status,
            amount: money(self.amount)?,
            method: self.method,
            captured: money(self.captured)?,
            refunded: money(self.refunded)?,
            transaction_id: self.transaction_id,
            reason: self.reason,
            provider: self.provider,
            last_try: self.last_try,
            attention: self.attention,
            refunds: self.refunds,
            note: self.note,
            attempts: self.attempts,
            due_at: self.due_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

/// Answers from committed rows.
pub struct PaymentResponder(Arc<dyn PaymentReads>);

impl PaymentResponder {
    /// A responder over these rows.
    pub fn new(reads: Arc<dyn PaymentReads>) -> Self {
        Self(reads)
    }

    async fn read_payment(&self, question: &str) -> Result<ConfirmedPayment, Failure> {
        let Question { order_id } =
            serde_json::from_str(question).map_err(|_| Failure::BadQuestion)?;
        let row = self.0.payment(order_id).await.map_err(|error| {
            tracing::warn!(service = "payment", %error, "confirming a payment failed");
            Failure::Unavailable
        })?;
        Ok(row.ok_or(Failure::NotFound)?.view().into())
    }
}

#[async_trait]
impl Responder for PaymentResponder {
    async fn answer(&self, question: &str) -> Option<String> {
        let answer = match self.read_payment(question).await {
            Ok(confirmed) => serde_json::to_string(&confirmed).ok()?,
            Err(error) => serde_json::to_string(&Failed { error }).ok()?,
        };
        debug_assert_described(schemas, None, &answer);
        Some(answer)
    }
}

/// Why a payment could not be confirmed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfirmationError {
    /// The question, or its answer, got lost.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The payment service's database is away.
    #[error("the payment database does not respond")]
    Unavailable,
    /// The answer is none that this version knows.
    #[error("the reply of the payment service is malformed: {0}")]
    Unreadable(String),
}

/// Asks how payments stand.
pub struct PaymentConfirmation;

impl PaymentConfirmation {
    /// How an order's payment stands. None: it has none yet.
    pub async fn ask(
        rpc: &dyn Rpc,
        order_id: OrderId,
        patience: Duration,
    ) -> Result<Option<PaymentView>, ConfirmationError> {
        let unreadable =
            |error: &dyn std::fmt::Display| ConfirmationError::Unreadable(error.to_string());
        let question =
            serde_json::to_string(&Question { order_id }).map_err(|error| unreadable(&error))?;
        let answer = rpc.ask(RPC_PAYMENT, question, patience).await?;
        match serde_json::from_str(&answer) {
            Ok(Failed { error: Failure::NotFound }) => Ok(None),
            Ok(Failed { error: Failure::Unavailable }) => Err(ConfirmationError::Unavailable),
            Ok(Failed { error: Failure::BadQuestion }) => {
                Err(unreadable(&"the request was malformed"))
            }
            Err(_) => {
                let confirmed: ConfirmedPayment =
                    serde_json::from_str(&answer).map_err(|error| unreadable(&error))?;
                confirmed.into_view().map(Some).map_err(|error| unreadable(&error))
            }
        }
    }
}

#[cfg(test)]
mod tests;
