//! Values that are read when the page is asked for.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

/// Labels and their values.
type Labels = Vec<(&'static str, String)>;

/// One name and its values.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    values: Vec<(Labels, f64)>,
}

impl Family {
    /// The value of these labels.
    pub fn set<const N: usize>(&mut self, labels: [(&'static str, &str); N], value: f64) {
        let labels = labels.into_iter().map(|(label, value)| (label, value.to_owned())).collect();
        self.values.push((labels, value));
    }
}

/// Values that are read when the page is asked for. A family without values is not on it.
#[derive(Debug, Default)]
pub struct Page(Vec<Family>);

impl Page {
    /// Adds a gauge.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, help, MetricType::Gauge)
    }

    /// Adds a counter; its name is without `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, help, MetricType::Counter)
    }

    fn family(&mut self, name: &'static str, help: &'static str, kind: MetricType) -> &mut Family {
        let last = self.0.len();
        self.0.push(Family { name, help, kind, values: Vec::new() });
        &mut self.0[last]
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in self.0.iter().filter(|family| !family.values.is_empty()) {
            let Family { name, help, kind, values } = family;
            let mut encoder = encoder.encode_descriptor(name, help, None, *kind)?;
            for (labels, value) in values {
                let encoder = encoder.encode_family(labels)?;
                match kind {
                    MetricType::Counter => ConstCounter::new(*value).encode(encoder)?,
                    _ => ConstGauge::new(*value).encode(encoder)?,
                }
            }
        }
        Ok(())
    }
}
