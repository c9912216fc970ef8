//! The payment gateways of a process, each under its name.

use super::gateway_health::GatewayHealth;
use super::gateway_port::PaymentGateway;
use crate::metrics::GatewayMetrics;
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest, Provider};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The gateways that payments can be asked of. A payment asks the one that it began with.
#[derive(Clone, Default)]
pub struct Gateways {
    by_provider: HashMap<Provider, Arc<dyn PaymentGateway>>,
    health: Arc<GatewayHealth>,
    metrics: GatewayMetrics,
}

impl Gateways {
    /// No gateway yet; what is asked of those that are added is noted in `health`.
    pub fn new(health: Arc<GatewayHealth>) -> Self {
        Self { health, ..Self::default() }
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, provider: Provider, gateway: Arc<dyn PaymentGateway>) -> Self {
        self.by_provider.insert(provider, gateway);
        self
    }

    /// The same, whose requests are counted there.
    #[must_use]
    pub fn measured(mut self, metrics: GatewayMetrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Makes a request of a gateway. One that is not configured here is like one whose credentials are wrong: nothing
    /// is decided about the payment, and it is asked again.
    pub(super) async fn ask(
        &self,
        provider: Provider,
        request: GatewayRequest,
    ) -> Result<GatewayPayment, GatewayError> {
        let (operation, begun) = (request.operation.name(), Instant::now());
        let under_way = self.metrics.asks(provider);
        let answer = match self.by_provider.get(&provider) {
            Some(gateway) => gateway.ask(request).await,
            None => Err(GatewayError::Misconfigured(format!("{provider} is not configured"))),
        };
        drop(under_way);
        self.metrics.answered(provider, operation, &answer, begun.elapsed());
        match &answer {
            Err(GatewayError::Misconfigured(cause)) => {
                if self.health.misconfigured(provider) {
                    tracing::error!(
                        service = "payment", %provider, cause,
                        "the gateway does not accept our credentials; its payments wait"
                    );
                }
            }
            Err(GatewayError::Unreachable(_) | GatewayError::Unknown(_)) => {}
            Ok(_) | Err(_) => {
                if self.health.answered(provider) {
                    tracing::info!(service = "payment", %provider, "the gateway accepts our credentials again");
                }
            }
        }
        answer
    }
}
