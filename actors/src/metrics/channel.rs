//! What is counted of the channels to customers.

use super::{Histograms, request};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SentLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabel {
    channel: &'static str,
}

/// What is counted of the channels to customers.
#[derive(Clone, Debug)]
pub struct ChannelMetrics {
    sent: Family<SentLabels, Counter>,
    duration: Histograms<ChannelLabel>,
}

impl Default for ChannelMetrics {
    fn default() -> Self {
        let duration = Family::new_with_constructor(request as fn() -> Histogram);
        Self { sent: Family::default(), duration }
    }
}

impl ChannelMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Messages to customers, by what their channel's server made of them";
        registry.register("ordermill_notifications_sent", help, self.sent.clone());
        let help = "Time until a channel's server answered";
        registry.register("ordermill_notification_send_seconds", help, self.duration.clone());
    }

    /// A message to a customer was `sent`, has `failed` for now, or is `rejected` for good.
    pub fn tried(&self, channel: &'static str, outcome: &'static str, after: Duration) {
        self.sent.get_or_create(&SentLabels { channel, outcome }).inc();
        self.duration.get_or_create(&ChannelLabel { channel }).observe(after.as_secs_f64());
    }
}
