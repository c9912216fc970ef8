//! The payment service: takes an order's money once, or gives it back.
//!
//! ```text
//! payment.* ─▶ CommandHandler ─▶ payment/<order_id> ─▶ journal ─▶ payment.approved, …
//!                                  ▲           │ (committed)
//!                                  └─ answer ◀─ gateway: create, retrieve, …
//! ```
//!
//! The rules of a payment are in `ordermill_domain::payment`; a gateway is a port ([`PaymentGateway`]).

mod commands;
mod confirmation;
mod entity;
mod gateway_health;
mod gateway_port;
mod gateways;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod reads;
mod requests;
mod retention;
mod rpc_schemas;
mod rpc_server;
mod simulated_notifications;
mod sweeper;
#[cfg(test)]
mod tests;
mod wiring;

pub use commands::CommandHandler;
pub use confirmation::{ConfirmationError, PaymentConfirmation, PaymentResponder};
pub use entity::{PaymentEffect, PaymentMemory, PaymentRules, Payments};
pub use gateway_health::GatewayHealth;
pub use gateway_port::PaymentGateway;
pub use gateways::Gateways;
pub use reads::{NotificationLog, PaymentReads};
pub use requests::{
    LocalPaymentRequests, NotificationReaders, NotificationRefused, NotificationTaken,
    PaymentRequests, RemotePaymentRequests, RequestError, RequestResponder,
};
pub use retention::{GatewayNotifications, NOTIFICATIONS_KEPT};
pub use rpc_schemas::RpcSchemas;
pub use rpc_server::RpcServer;
pub use sweeper::Sweeper;
pub use wiring::{PaymentHandles, PaymentSettings, wire};

/// The schemas of everything that is asked of the payment service.
pub fn all_rpc_schemas(generator: &mut schemars::SchemaGenerator) -> [RpcSchemas; 2] {
    [confirmation::schemas(generator), requests::schemas(generator)]
}
