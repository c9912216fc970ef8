//! A payment gateway, as the payment service asks it.
//!
//! Keys are the payment's and its parts' for their whole life, so that asking again never does a thing twice. An
//! answer is the truth; no answer is no truth at all: most errors say only that nobody knows.

use async_trait::async_trait;
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest};

/// A payment gateway.
///
/// Every request may be made any number of times, concurrently too, and by several processes. `Ok` is what the
/// gateway had at some moment between the request and its answer; it is never a guess. Dropping a request does not
/// undo it.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// Makes a request, and answers with all that the gateway has of the payment.
    async fn ask(&self, request: GatewayRequest) -> Result<GatewayPayment, GatewayError>;
}
