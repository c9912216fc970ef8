//! Payment gateways: how fast they answer, and what.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{Query, of_process, quantile, rate};

pub(super) fn row() -> Row {
    Row {
        title: "Payment",
        panels: vec![
            latency(),
            Panel::stacked(
                "Gateway requests by outcome",
                Unit::PerSecond,
                "unknown: no answer, or none that says what happened; the request is repeated under the same key.",
            )
            .colored(&[("answered", "green"), ("declined", "orange"), ("unknown", "red")])
            .show("{{outcome}}", rate("ordermill_gateway_request_seconds_count", "outcome")),
            Panel::lines(
                "Share of unknown outcomes",
                Unit::Ratio,
                "Requests to a gateway whose outcome is unknown, of all requests to it.",
            )
            .good(Limit::Below(0.05, 0.2))
            .show("{{provider}}", unknown()),
            Panel::stacked("Gateway requests by operation", Unit::PerSecond, "Requests to payment gateways.")
                .show(
                    "{{provider}} {{operation}}",
                    rate("ordermill_gateway_request_seconds_count", "provider, operation"),
                ),
            Panel::lines("Gateway requests in flight", Unit::Count, "Requests that wait for an answer.")
                .show("{{provider}}", of_process("ordermill_gateway_requests_in_flight", "provider")),
            Panel::lines(
                "Notifications of gateways",
                Unit::PerSecond,
                "By outcome; forged means a wrong key, or somebody trying.",
            )
            .show(
                "{{provider}} {{outcome}}",
                rate("ordermill_payment_notifications_total", "provider, outcome"),
            ),
        ],
    }
}

fn latency() -> Panel {
    let of = |q| quantile(q, "ordermill_gateway_request_seconds", "", "provider");
    Panel::lines(
        "Gateway latency",
        Unit::Seconds,
        "Until a payment gateway answers, or is given up.",
    )
    .good(Limit::Below(1.0, 2.0))
    .show("{{provider}} p50", of(0.5))
    .show("{{provider}} p99", of(0.99))
}

fn unknown() -> Query {
    let of = |selector| rate(selector, "provider");
    of(r#"ordermill_gateway_request_seconds_count{outcome="unknown"}"#)
        .divided_by(&of("ordermill_gateway_request_seconds_count"))
}
