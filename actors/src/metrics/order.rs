//! What is counted of orders and their sagas.

use super::{TraceLabel, TracedHistograms, traced_request, traced_saga};
use ordermill_domain::messages::Flow;
use ordermill_domain::order::SagaStatus;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FlowLabel {
    flow: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    outcome: &'static str,
    flow: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    outcome: &'static str,
    payment: &'static str,
}

/// How an order was answered: what its customer waits to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAnswered {
    /// It is confirmed.
    Confirmed,
    /// A service refused a step.
    Refused,
    /// Its deadline passed first.
    Expired,
    /// It was cancelled first.
    Cancelled,
}

impl OrderAnswered {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a committed change of an order is counted as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderObservation {
    /// It was accepted.
    Accepted,
    /// A step is done, or refused, so long after it was asked for.
    Step(&'static str, bool, Duration),
    /// What is awaited of this step was asked for again.
    Resent(&'static str),
    /// It was answered so long after it was accepted; true: its customer was sent to a payment page.
    Answered(OrderAnswered, bool, Duration),
    /// Its saga has come to a status in which it stays, so long after the order was accepted.
    AtRest(SagaStatus, Duration),
}

/// What is counted of orders and their sagas.
#[derive(Clone, Debug)]
pub struct OrderMetrics {
    ended: Family<StatusLabel, Counter>,
    duration: TracedHistograms<StatusLabel>,
    accepted: Family<FlowLabel, Counter>,
    answered: TracedHistograms<AnswerLabels>,
    steps: TracedHistograms<StepLabels>,
    resent: Family<StepLabel, Counter>,
}

impl Default for OrderMetrics {
    fn default() -> Self {
        type New = fn() -> HistogramWithExemplars<TraceLabel>;
        Self {
            ended: Family::default(),
            duration: Family::new_with_constructor(traced_saga as New),
            accepted: Family::default(),
            answered: Family::new_with_constructor(traced_request as New),
            steps: Family::new_with_constructor(traced_request as New),
            resent: Family::default(),
        }
    }
}

impl OrderMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Sagas that the process brought to rest";
        registry.register("saga", help, self.ended.clone());
        let help = "Time from the acceptance of an order until its saga rests";
        registry.register("saga_duration_seconds", help, self.duration.clone());
        let help = "Orders accepted by the process";
        registry.register("ordermill_orders_accepted", help, self.accepted.clone());
        let help = "Time from the acceptance of an order until it is confirmed, refused, expired or cancelled";
        registry.register("ordermill_order_answered_seconds", help, self.answered.clone());
        let help = "Time from a step's command, when it was sent last, to its reply; choreographed: from the event before it";
        registry.register("ordermill_saga_step_seconds", help, self.steps.clone());
        let help = "Commands repeated because no reply came";
        registry.register("ordermill_saga_commands_resent", help, self.resent.clone());
    }

    /// Counts what was committed of an order of this flow and trace.
    pub fn observe(&self, observation: OrderObservation, flow: Flow, trace: Option<TraceLabel>) {
        let flow = flow.as_str();
        match observation {
            OrderObservation::Accepted => {
                self.accepted.get_or_create(&FlowLabel { flow }).inc();
            }
            OrderObservation::Step(step, is_done, after) => {
                let outcome = if is_done { "done" } else { "refused" };
                let histogram = self.steps.get_or_create(&StepLabels { step, outcome, flow });
                histogram.observe(after.as_secs_f64(), trace, None);
            }
            OrderObservation::Resent(step) => {
                self.resent.get_or_create(&StepLabel { step }).inc();
            }
            OrderObservation::Answered(answered, by_page, after) => {
                let payment = if by_page { "page" } else { "direct" };
                let labels = AnswerLabels { outcome: answered.as_str(), payment };
                let histogram = self.answered.get_or_create(&labels);
                histogram.observe(after.as_secs_f64(), trace, None);
            }
            OrderObservation::AtRest(status, after) => {
                let label = StatusLabel { status: status.as_str() };
                self.ended.get_or_create(&label).inc();
                self.duration.get_or_create(&label).observe(after.as_secs_f64(), trace, None);
            }
        }
    }
}
