//! What is asked of the payment service from outside, wherever it runs: notifications of gateways, and requests of
//! people.
//!
//! [`LocalPaymentRequests`] asks the payments of this process, [`RemotePaymentRequests`] those of another.

mod local;
mod remote;
#[cfg(test)]
mod tests;

pub use local::LocalPaymentRequests;
pub(super) use remote::schemas;
pub use remote::{RemotePaymentRequests, RequestResponder};

use async_trait::async_trait;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    NOTIFICATION_BODY_MAX, NotificationError, NotificationReader, PaymentRequest, Provider, Refund,
    RequestRefused,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How long a payment's decision is waited for. Gateways wait for 5 s and more before they try again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reads the notifications of each gateway that is configured.
pub type NotificationReaders = HashMap<Provider, Arc<dyn NotificationReader>>;

/// What became of a genuine notification. It is on disk when this is said, unless the variant says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationTaken {
    /// Stored; the payment asks its gateway.
    Stored,
    /// The same has come before.
    Repeated,
    /// So many are stored of this payment that this one is not; the payment asks its gateway.
    OverLimit,
    /// It is of no order that is known here.
    Unmatched,
    /// Of the gateway's test button: nothing is stored.
    Test,
}

/// Why a notification is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationRefused {
    /// It has no right form, or no right signature.
    #[error(transparent)]
    NotGenuine(#[from] NotificationError),
    /// No such gateway is configured.
    #[error("the gateway {0} is not configured here")]
    NotConfigured(Provider),
    /// Nobody answers who could store it.
    #[error("the payment service is not available")]
    Unavailable,
}

/// Why a request of a person has no success.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestError {
    /// It is not taken.
    #[error(transparent)]
    Refused(#[from] RequestRefused),
    /// Nobody answers who could decide it.
    #[error("the payment service is not available")]
    Unavailable,
}

/// Asks the payment service, in this process or in another.
#[async_trait]
pub trait PaymentRequests: Send + Sync + 'static {
    /// Checks and stores a notification as it came, and has the payment ask its gateway.
    async fn notification(
        &self,
        provider: Provider,
        body: &[u8],
    ) -> Result<NotificationTaken, NotificationRefused>;

    /// Puts a person's request to an order's payment. `Some`: the refund that it is about.
    async fn request(
        &self,
        order_id: OrderId,
        request: PaymentRequest,
    ) -> Result<Option<Refund>, RequestError>;

    /// The refunds of an order's payment, oldest first. Empty: there is none, or no payment yet.
    async fn refunds(&self, order_id: OrderId) -> Result<Vec<Refund>, RequestError>;
}

/// A notification's body as text, if it is one and not too large.
fn as_text(body: &[u8]) -> Result<&str, NotificationError> {
    if body.len() > NOTIFICATION_BODY_MAX {
        return Err(NotificationError::Malformed(format!(
            "the body has {} bytes; expected {NOTIFICATION_BODY_MAX} at most",
            body.len()
        )));
    }
    str::from_utf8(body)
        .map_err(|error| NotificationError::Malformed(format!("the body is not UTF-8: {error}")))
}
