//! What is counted of admission.

use super::request;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Why orders are turned away, as admission names it.
const CAUSES: [&str; 3] = ["overloaded", "database_down", "shutting_down"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabel {
    cause: &'static str,
}

/// What is counted of the admission of orders.
#[derive(Clone, Debug)]
pub struct AdmissionMetrics {
    turned_away: Family<CauseLabel, Counter>,
    wait: Histogram,
}

impl Default for AdmissionMetrics {
    fn default() -> Self {
        let turned_away = Family::<CauseLabel, Counter>::default();
        // Each from zero on: the first must be seen as an increase.
        for cause in CAUSES {
            let _ = turned_away.get_or_create(&CauseLabel { cause });
        }
        Self { turned_away, wait: request() }
    }
}

impl AdmissionMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Orders answered with 503 because they could not be taken, by the process";
        registry.register("ordermill_admission_turned_away", help, self.turned_away.clone());
        let help = "Time that admitted orders waited to be admitted";
        registry.register("ordermill_admission_wait_seconds", help, self.wait.clone());
    }

    /// An order was let in after this time.
    pub fn admitted(&self, after: Duration) {
        self.wait.observe(after.as_secs_f64());
    }

    /// An order was turned away.
    pub fn turned_away(&self, cause: &'static str) {
        self.turned_away.get_or_create(&CauseLabel { cause }).inc();
    }
}
