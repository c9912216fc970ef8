//! The seven panels of seed 002.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{global, increase, quantile, rate};

/// Addresses that are asked by machines, all the time.
const NO_CHECKS: &str = r#"path!~"/health|/ready|/metrics""#;
/// Sagas that ended as they should, one way or the other.
const ENDED: &str = r#"status=~"COMPLETED|COMPENSATED""#;

pub(super) fn row() -> Row {
    Row {
        title: "Requests and sagas",
        panels: vec![
            Panel::lines("Request rate", Unit::PerSecond, "Requests answered per second, by method.")
                .show("{{method}}", rate("http_requests_total", "method")),
            latency(),
            Panel::bars(
                "Error rate",
                Unit::PerSecond,
                "Answers 4xx and 5xx per second. 503: an order was turned away, or a service is not in this process.",
            )
            .show("{{status}}", rate(r#"http_requests_total{status=~"4..|5.."}"#, "status")),
            Panel::number(
                "Sagas at rest, last 15 minutes",
                Unit::Count,
                "Sagas that came to rest, by how they ended. FAILED needs a person: docs/RUNBOOK.md#sagafailed.",
            )
            .colored(&[("COMPLETED", "green"), ("COMPENSATED", "orange"), ("FAILED", "red")])
            .show("{{status}}", increase("saga_total", "15m", "status")),
            duration(),
            Panel::stacked("Request rate by route", Unit::PerSecond, "Which routes are busy.")
                .show("{{method}} {{path}}", rate("http_requests_total", "method, path")),
            Panel::lines(
                "Dead letters",
                Unit::Count,
                "Dead letters there are now, by service and queue. List them with: ordermill dlq list.",
            )
            .good(Limit::Below(1.0, 10.0))
            .show("{{service}}: {{queue}}", global("ordermill_dead_letters", "service, queue")),
        ],
    }
}

fn latency() -> Panel {
    let of = |q| quantile(q, "http_request_duration_seconds", NO_CHECKS, "");
    let description = "Time to the first byte of the answer, without health checks and scrapes.";
    Panel::lines("Request latency", Unit::Seconds, description)
        .show("p50", of(0.5))
        .show("p95", of(0.95))
        .show("p99", of(0.99))
}

fn duration() -> Panel {
    let of = |q| quantile(q, "saga_duration_seconds", ENDED, "status");
    let description = "From acceptance to rest, of sagas that completed or were compensated.";
    Panel::lines("Saga duration", Unit::Seconds, description)
        .show("{{status}} p50", of(0.5))
        .show("{{status}} p95", of(0.95))
        .show("{{status}} p99", of(0.99))
}
