//! From the request through journal, outbox and queue to the handler: where work waits.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{Query, global, mean, of_process, quantile, rate};

pub(super) fn row() -> Row {
    let mut panels = admission();
    panels.extend(journal_and_outbox());
    panels.extend(queues_and_broker());
    Row { title: "Pipeline", panels }
}

fn admission() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Admission lag",
            Unit::Seconds,
            "How far the process is behind with its own work, by what. New orders are turned away when it grows too far.",
        )
        .show("{{source}}", global("ordermill_admission_lag_seconds", "source")),
        Panel::lines(
            "Orders turned away",
            Unit::PerSecond,
            "Orders answered with 503, by cause.",
        )
        .show("{{cause}}", rate("ordermill_admission_turned_away_total", "cause")),
        Panel::lines("Admission", Unit::UpDown, "Whether a new order would be admitted now.")
            .show("{{instance}}", global("ordermill_admission_open", "instance")),
        Panel::lines("Wait for admission", Unit::Seconds, "What admitted orders waited to be admitted.")
            .show("p50", quantile(0.5, "ordermill_admission_wait_seconds", "", ""))
            .show("p99", quantile(0.99, "ordermill_admission_wait_seconds", "", "")),
    ]
}

fn journal_and_outbox() -> Vec<Panel> {
    vec![
        Panel::lines(
            "Changes in a transaction",
            Unit::Count,
            "Mean size of a journal's transaction.",
        )
        .show("{{service}}", mean("ordermill_journal_batch_changes", "", "service")),
        Panel::lines("Commit p99", Unit::Seconds, "A journal's transaction, from begin to commit.")
            .good(Limit::Below(0.05, 0.25))
            .show("{{service}}", quantile(0.99, "ordermill_journal_commit_seconds", "", "service")),
        Panel::lines(
            "Wait for a commit p99",
            Unit::Seconds,
            "A change, from submission to the begin of its transaction.",
        )
        .show("{{service}}", quantile(0.99, "ordermill_journal_wait_seconds", "", "service")),
        Panel::lines(
            "Outbox",
            Unit::Count,
            "Messages committed and not yet confirmed by the broker.",
        )
        .show("{{service}}", of_process("ordermill_outbox_pending_messages", "service")),
        Panel::lines(
            "Oldest message of the outbox",
            Unit::Seconds,
            "Age of the oldest message under way.",
        )
        .good(Limit::Below(10.0, 60.0))
        .show("{{service}}", global("ordermill_outbox_oldest_seconds", "service")),
        Panel::lines("Parked rows", Unit::Count, "Rows of the outbox that wait for a later try.")
            .show("{{service}}", global("ordermill_outbox_parked_rows", "service")),
    ]
}

fn queues_and_broker() -> Vec<Panel> {
    vec![
        Panel::stacked("Queue depth", Unit::Count, "Deliveries that wait in each queue.")
            .show("{{queue}}", global("ordermill_queue_messages_ready", "queue")),
        Panel::lines(
            "Queue delay p99",
            Unit::Seconds,
            "A message, from its decision to its first delivery.",
        )
        .show("{{queue}}", quantile(0.99, "ordermill_consumer_queue_delay_seconds", "", "queue")),
        Panel::stacked("Messages handled", Unit::PerSecond, "Messages handled, by outcome.")
            .colored(&[("done", "green"), ("retry", "orange"), ("dead", "red")])
            .show("{{outcome}}", rate("ordermill_consumer_messages_total", "outcome")),
        Panel::lines(
            "Databases",
            Unit::UpDown,
            "Whether the last commit or read of each service was answered.",
        )
        .show("{{service}}", Query::raw("min by (service) (ordermill_database_up)")),
        Panel::lines(
            "Broker",
            Unit::UpDown,
            "Whether the process is connected, and whether the broker refuses publishes.",
        )
        .show("connected: {{instance}}", global("ordermill_broker_connected", "instance"))
        .show("blocked: {{instance}}", global("ordermill_broker_blocked", "instance")),
        Panel::lines(
            "Unconfirmed publishes",
            Unit::Count,
            "Published to the broker and not yet confirmed by it.",
        )
        .show("messages", of_process("ordermill_broker_unconfirmed_messages", "")),
    ]
}
