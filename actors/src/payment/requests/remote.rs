//! Requests where the payment service does not run: they are passed on to the process that runs it.
//!
//! ```text
//! RemotePaymentRequests ──RequestQuestion──▶ payment.requests ──▶ RequestResponder ──▶ LocalPaymentRequests
//!            ▲                                                          │
//!            └─────────────────────RequestAnswer────────────────────────┘
//! ```
//!
//! The sender of a notification is checked where it is decided: this side has no key, and passes bytes on. A request
//! whose answer is lost may have been decided: asked again, it is the same request.

use super::{
    NotificationRefused, NotificationTaken, PATIENCE, PaymentRequests, RequestError, as_text,
};
use crate::payment::rpc_schemas::{RpcSchemas, debug_assert_described};
use crate::ports::{Responder, Rpc};
use async_trait::async_trait;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::RPC_PAYMENT_REQUESTS;
use ordermill_domain::payment::{PaymentRequest, Provider, Refund};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RequestQuestion {
    Notification { provider: Provider, body: String },
    Request { order_id: OrderId, request: PaymentRequest },
    Refunds { order_id: OrderId },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RequestAnswer {
    Notification(Result<NotificationTaken, NotificationRefused>),
    Request(Result<Option<Refund>, RequestError>),
    Refunds(Result<Vec<Refund>, RequestError>),
    /// The question cannot be read: another version asks.
    BadQuestion,
}

/// The schemas of a question to `payment.requests` and of its answer.
pub fn schemas(generator: &mut SchemaGenerator) -> RpcSchemas {
    RpcSchemas {
        address: RPC_PAYMENT_REQUESTS,
        question: generator.subschema_for::<RequestQuestion>(),
        answers: vec![generator.subschema_for::<RequestAnswer>()],
    }
}

/// Answers for the payments of this process.
pub struct RequestResponder(Arc<dyn PaymentRequests>);

impl RequestResponder {
    /// A responder that has these decide.
    pub fn new(requests: Arc<dyn PaymentRequests>) -> Self {
        Self(requests)
    }
}

#[async_trait]
impl Responder for RequestResponder {
    async fn answer(&self, question: &str) -> Option<String> {
        let asked = serde_json::from_str(question);
        let understood = asked.is_ok().then_some(question);
        let answer = match asked {
            Ok(RequestQuestion::Notification { provider, body }) => {
                RequestAnswer::Notification(self.0.notification(provider, body.as_bytes()).await)
            }
            Ok(RequestQuestion::Request { order_id, request }) => {
                RequestAnswer::Request(self.0.request(order_id, request).await)
            }
            Ok(RequestQuestion::Refunds { order_id }) => {
                RequestAnswer::Refunds(self.0.refunds(order_id).await)
            }
            Err(_) => RequestAnswer::BadQuestion,
        };
        let answer = serde_json::to_string(&answer).ok()?;
        debug_assert_described(schemas, understood, &answer);
        Some(answer)
    }
}

/// Asks the payments of another process.
pub struct RemotePaymentRequests(Arc<dyn Rpc>);

impl RemotePaymentRequests {
    /// Asks over this.
    pub fn new(rpc: Arc<dyn Rpc>) -> Self {
        Self(rpc)
    }

    /// The answer. None: there is none that this version can read; the log says why.
    async fn ask(&self, question: &RequestQuestion) -> Option<RequestAnswer> {
        let warn = |error: &dyn std::fmt::Display| {
            tracing::warn!(service = "payment", %error, "asking the payment service failed");
        };
        let question = serde_json::to_string(question).inspect_err(|error| warn(error)).ok()?;
        let answer = self.0.ask(RPC_PAYMENT_REQUESTS, question, PATIENCE).await;
        let answer = answer.inspect_err(|error| warn(error)).ok()?;
        match serde_json::from_str(&answer) {
            Ok(answer) => Some(answer),
            Err(error) => {
                warn(&format_args!("the answer is malformed: {error}"));
                None
            }
        }
    }
}

#[async_trait]
impl PaymentRequests for RemotePaymentRequests {
    async fn notification(
        &self,
        provider: Provider,
        body: &[u8],
    ) -> Result<NotificationTaken, NotificationRefused> {
        let body = as_text(body)?.to_owned();
        match self.ask(&RequestQuestion::Notification { provider, body }).await {
            Some(RequestAnswer::Notification(result)) => result,
            _ => Err(NotificationRefused::Unavailable),
        }
    }

    async fn request(
        &self,
        order_id: OrderId,
        request: PaymentRequest,
    ) -> Result<Option<Refund>, RequestError> {
        match self.ask(&RequestQuestion::Request { order_id, request }).await {
            Some(RequestAnswer::Request(result)) => result,
            _ => Err(RequestError::Unavailable),
        }
    }

    async fn refunds(&self, order_id: OrderId) -> Result<Vec<Refund>, RequestError> {
        match self.ask(&RequestQuestion::Refunds { order_id }).await {
            Some(RequestAnswer::Refunds(result)) => result,
            _ => Err(RequestError::Unavailable),
        }
    }
}
