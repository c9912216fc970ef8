//! The gateway: one request, the calls that it takes, and one answer.

use crate::settings::MidtransSettings;
use async_trait::async_trait;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::clock::Clock;
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest};
use std::sync::Arc;
use thiserror::Error;

/// Why the gateway cannot be used at all.
#[derive(Debug, Error)]
#[error("the HTTP client of Midtrans cannot be set up: {0}")]
pub struct NotStarted(String);

/// Midtrans Snap, asked over HTTP.
pub struct Midtrans {
    settings: MidtransSettings,
    clock: Arc<dyn Clock>,
}

impl Midtrans {
    /// A gateway with these settings. Opens no connection.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub fn new(settings: MidtransSettings, clock: Arc<dyn Clock>) -> Result<Self, NotStarted> {
        Ok(Self { settings, clock })
    }
}

#[async_trait]
impl PaymentGateway for Midtrans {
    async fn ask(&self, _request: GatewayRequest) -> Result<GatewayPayment, GatewayError> {
        let _ = (&self.settings, &self.clock);
        Err(GatewayError::Unreachable("not built yet".into()))
    }
}
