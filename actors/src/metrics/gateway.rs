//! What is counted of payment gateways.

use super::{Histograms, request};
use ordermill_domain::payment::{GatewayError, GatewayPayment, Provider};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    provider: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NotificationLabels {
    provider: &'static str,
    outcome: &'static str,
}

/// What is counted of payment gateways.
#[derive(Clone, Debug)]
pub struct GatewayMetrics {
    requests: Histograms<RequestLabels>,
    in_flight: Family<ProviderLabel, Gauge>,
    notifications: Family<NotificationLabels, Counter>,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        let requests = Family::new_with_constructor(request as fn() -> Histogram);
        Self { requests, in_flight: Family::default(), notifications: Family::default() }
    }
}

/// A request that is under way; dropped, it is no more.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl GatewayMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Duration of requests to a payment gateway";
        registry.register("ordermill_gateway_request_seconds", help, self.requests.clone());
        let help = "Requests to a payment gateway that are under way, of the process";
        registry.register("ordermill_gateway_requests_in_flight", help, self.in_flight.clone());
        let help = "Notifications of payment gateways, by what was made of them";
        registry.register("ordermill_payment_notifications", help, self.notifications.clone());
    }

    /// A request begins.
    pub fn asks(&self, provider: Provider) -> InFlight {
        let label = ProviderLabel { provider: provider.as_str() };
        let gauge = self.in_flight.get_or_create_owned(&label);
        gauge.inc();
        InFlight(gauge)
    }

    /// A request has ended.
    pub fn answered(
        &self,
        provider: Provider,
        operation: &'static str,
        answer: &Result<GatewayPayment, GatewayError>,
        after: Duration,
    ) {
        let outcome = match answer {
            Ok(_) => "answered",
            Err(GatewayError::Unreachable(_) | GatewayError::Unknown(_)) => "unknown",
            Err(_) => "refused",
        };
        let labels = RequestLabels { provider: provider.as_str(), operation, outcome };
        self.requests.get_or_create(&labels).observe(after.as_secs_f64());
    }

    /// A notification came.
    pub fn notified(&self, provider: Provider, outcome: &'static str) {
        let labels = NotificationLabels { provider: provider.as_str(), outcome };
        self.notifications.get_or_create(&labels).inc();
    }
}
