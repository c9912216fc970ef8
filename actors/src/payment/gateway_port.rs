//! The payment gateway, as the payment service asks it: four questions under one key.
//!
//! The key is the payment's own for its whole life, so that asking again never does a thing twice.
//! An answer is the truth; no answer is no truth at all: an error says only that nobody knows.

use async_trait::async_trait;
use ordermill_domain::money::Money;
use ordermill_domain::payment::{
    Charge, ChargeRequest, GatewayKey, Holding, OldGatewayError, Undone,
};
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest};

/// A payment gateway.
///
/// Every method may be called any number of times, concurrently too, and by several processes. What
/// it answers with `Ok` is durable. Dropping a call does not undo it.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Captures the money, once a key: asked again, it answers what became of the first.
    async fn charge(&self, request: ChargeRequest) -> Result<Charge, OldGatewayError>;

    /// Sees to it that no money is held under a key, now or later: what was captured is refunded, and
    /// a charge that arrives after this is declined.
    async fn void(&self, key: GatewayKey) -> Result<Undone, OldGatewayError>;

    /// Gives back what was captured under a key, once.
    async fn refund(&self, key: GatewayKey, amount: Money) -> Result<Undone, OldGatewayError>;

    /// Looks, and changes nothing.
    async fn query(&self, key: GatewayKey) -> Result<Holding, OldGatewayError>;
}

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
