//! Metrics, by the names that seed 002 uses.

use crate::api::state::State;
use crate::output::STDERR;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use ordermill_actors::order::SagaObserver;
use ordermill_domain::order::SagaStatus;
use poem::http::{Method, StatusCode};
use std::sync::Mutex;
use std::time::Duration;

/// Upper bounds of `http_request_duration_seconds`, in seconds: from an answer out of memory to a client
/// that waited at the door.
const HTTP_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Upper bounds of `saga_duration_seconds`, in seconds: from a commit or six to an order that expired.
const SAGA_SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];

/// How often histograms are compacted and gauges read.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(2);

/// The process's recorder, installed when it is asked for the first time.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    // Held while it is installed: two starts at the same moment make one recorder.
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = HANDLE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let full = |name: &str| Matcher::Full(name.to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(full("http_request_duration_seconds"), HTTP_SECONDS)?
        .set_buckets_for_metric(full("saga_duration_seconds"), SAGA_SECONDS)?
        .install_recorder()?;
    Ok(installed.insert(handle).clone())
}

/// Counts sagas that come to rest.
pub struct SagaMetrics;

impl SagaObserver for SagaMetrics {
    fn reached(&self, status: SagaStatus, after: Duration) {
        let status = status.as_str();
        counter!("saga_total", "status" => status).increment(1);
        histogram!("saga_duration_seconds", "status" => status).record(after);
    }
}

/// The path of what no route has answered.
pub const UNMATCHED: &str = "unmatched";

/// Counts an answer. `path` is the route's pattern: few values, whatever clients ask for.
pub fn answered(method: &Method, path: &str, status: StatusCode, elapsed: Duration) {
    let labels = [
        ("service", "ordermill".to_owned()),
        ("method", known(method).to_owned()),
        ("path", path.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    counter!("http_requests_total", &labels).increment(1);
    histogram!("http_request_duration_seconds", &labels[..3]).record(elapsed);
}

/// Methods are the client's own words: those that no route takes are counted together.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH => method.as_str(),
        _ => "other",
    }
}

/// Keeps the recorder small and the gauges fresh. Called each [`UPKEEP_EVERY`].
pub async fn keep_up(state: State) {
    state.metrics.run_upkeep();
    counter!("ordermill_log_lines_dropped_total").absolute(STDERR.dropped());
    gauge!("ordermill_lag_seconds").set(state.admission.lag().as_secs_f64());
    if let Ok(order) = state.services.order()
        && let Ok((open, failed)) = order.reads.open().await
    {
        gauge!("sagas_open").set(open as f64);
        gauge!("sagas_failed").set(failed as f64);
    }
    messages(&state).await;
}

/// What waits, what is stuck, and what was given up.
async fn messages(state: &State) {
    let depths = tokio::time::timeout(UPKEEP_EVERY, state.broker.depths()).await;
    for depth in depths.ok().and_then(Result::ok).into_iter().flatten() {
        let queue = depth.queue.as_str();
        gauge!("queue_messages_ready", "queue" => queue).set(depth.ready as f64);
        gauge!("queue_messages_unacked", "queue" => queue).set(depth.unacked as f64);
    }
    // What travels together is one delivery of many messages.
    for consumer in &state.consumers {
        let queue = consumer.queue().as_str();
        counter!("queue_deliveries_total", "queue" => queue).absolute(consumer.settled());
        counter!("queue_messages_total", "queue" => queue).absolute(consumer.messages());
    }
    for dead_letter_service in &state.dead_letters {
        let service = dead_letter_service.service().as_str();
        counter!("dead_letters_total", "service" => service)
            .absolute(dead_letter_service.dead_letter_count());
        let discarded = dead_letter_service.discarded_count();
        counter!("dead_letters_discarded_total", "service" => service).absolute(discarded);
        if let Ok(rows) = dead_letter_service.parked().await {
            gauge!("outbox_parked", "service" => service).set(rows as f64);
        }
    }
}
