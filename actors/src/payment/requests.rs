//! What is asked of the payment service from outside, wherever it runs: notifications of gateways, and requests of
//! people.

use async_trait::async_trait;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    NotificationError, PaymentRequest, Provider, Refund, RequestRefused,
};
use thiserror::Error;

/// What became of a genuine notification. It is on disk when this is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationTaken {
    /// Stored; the payment asks its gateway.
    Stored,
    /// The same has come before.
    Repeated,
    /// It is of no order that is known here.
    Unmatched,
    /// Of the gateway's test button: nothing is stored.
    Test,
}

/// Why a notification is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
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
#[derive(Clone, Debug, Error, PartialEq, Eq)]
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
