//! Orders: how many, how fast, and where their time goes.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{global, of_process, quantile, rate};

/// The objective of an order paid without a page (`ordermill-slo`).
const ANSWERED_WITHIN_S: f64 = 5.0;

pub(super) fn row() -> Row {
    Row {
        title: "Orders",
        panels: vec![
            Panel::lines("Orders accepted", Unit::PerSecond, "Orders accepted per second, by flow.")
                .show("{{flow}}", rate("ordermill_orders_accepted_total", "flow")),
            Panel::stacked(
                "Orders confirmed and refused",
                Unit::PerSecond,
                "Orders that the customer has an answer to, per second.",
            )
            .show("{{outcome}}", rate("ordermill_order_answered_seconds_count", "outcome")),
            Panel::stacked("Sagas at rest", Unit::PerSecond, "Sagas that came to rest, per second.")
                .show("{{status}}", rate("saga_total", "status")),
            answered(),
            Panel::lines(
                "Step time p99",
                Unit::Seconds,
                "From a step's command to its reply, refusals included.",
            )
            .show("{{step}}", quantile(0.99, "ordermill_saga_step_seconds", "", "step")),
            Panel::stacked(
                "Sagas not at rest",
                Unit::Count,
                "Sagas under way, by status, and those that are FAILED.",
            )
            .show("{{status}}", global("ordermill_sagas", "status")),
            Panel::stacked("Steps", Unit::PerSecond, "Replies to steps per second, done and refused.")
                .show("{{step}} {{outcome}}", rate("ordermill_saga_step_seconds_count", "step, outcome")),
            Panel::lines("Event streams", Unit::Count, "Event streams followed by clients.")
                .show("streams", of_process("ordermill_http_streams_open", "")),
            Panel::lines(
                "Messages to customers",
                Unit::PerSecond,
                "Messages handed to mail and text message servers, by outcome. Empty when no channel is set up.",
            )
            .show(
                "{{channel}} {{outcome}}",
                rate("ordermill_notifications_sent_total", "channel, outcome"),
            ),
        ],
    }
}

fn answered() -> Panel {
    let of = |q| quantile(q, "ordermill_order_answered_seconds", "", "payment");
    let description = "From acceptance until an order is confirmed or refused. page: its customer was sent to a payment \
                       page, and takes the time.";
    Panel::lines("Time to confirmation or refusal", Unit::Seconds, description)
        .good(Limit::Below(ANSWERED_WITHIN_S / 2.0, ANSWERED_WITHIN_S))
        .show("{{payment}} p50", of(0.5))
        .show("{{payment}} p99", of(0.99))
}
