//! One service: its journal, outbox, consumers, dead letters and database.

use super::layout::{Dashboard, Limit, Panel, Row, Unit, Variable};
use super::query::{Query, global, mean, of_process, quantile, rate};

/// Selects the chosen service.
const SERVICE: &str = r#"service="$service""#;
/// Selects its queues, which bear its name.
const QUEUES: &str = r#"queue=~"$service[.].*""#;

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "ordermill-service",
        title: "Ordermill: a service",
        description: "Journal, outbox, consumers, dead letters and database of one service.",
        variables: vec![Variable {
            name: "service",
            label: "Service",
            values_of: "label_values(ordermill_database_up, service)",
        }],
        rows: vec![journal(), outbox(), consumers(), dead_letters(), database()],
    }
}

fn own(metric: &str) -> String {
    format!("{metric}{{{SERVICE}}}")
}

fn on_queues(metric: &str) -> String {
    format!("{metric}{{{QUEUES}}}")
}

/// Median and 99th percentile of one of the service's histograms.
fn times(title: &'static str, metric: &str, description: &'static str) -> Panel {
    let of = |q| quantile(q, metric, SERVICE, "");
    Panel::lines(title, Unit::Seconds, description).show("p50", of(0.5)).show("p99", of(0.99))
}

fn journal() -> Row {
    let contention = Panel::lines(
        "Decided again, and split",
        Unit::PerSecond,
        "Changes decided on rows that were no longer so, and transactions split to isolate a change that the database rejects.",
    )
    .show("decided again", rate(&own("ordermill_journal_changes_refused_total"), ""))
    .show("split", rate(&own("ordermill_journal_batches_split_total"), ""));
    Row {
        title: "Journal",
        panels: vec![
            Panel::lines("Changes in a transaction", Unit::Count, "Mean size of a transaction.")
                .show("changes", mean("ordermill_journal_batch_changes", SERVICE, "")),
            times(
                "Commit",
                "ordermill_journal_commit_seconds",
                "A transaction, from begin to commit.",
            )
            .good(Limit::Below(0.05, 0.25)),
            times(
                "Wait for a commit",
                "ordermill_journal_wait_seconds",
                "A change, from submission to the begin of its transaction.",
            ),
            Panel::lines("Changes that wait", Unit::Count, "Changes that wait for a transaction.")
                .show("changes", of_process(&own("ordermill_journal_pending_changes"), "")),
            Panel::stacked("Transactions", Unit::PerSecond, "Tries of transactions, by outcome.")
                .colored(&[("committed", "green"), ("contended", "orange"), ("unavailable", "red")])
                .show("{{outcome}}", rate(&own("ordermill_journal_commits_total"), "outcome")),
            contention,
        ],
    }
}

fn outbox() -> Row {
    Row {
        title: "Outbox",
        panels: vec![
            Panel::lines(
                "Messages under way",
                Unit::Count,
                "Committed and not yet confirmed by the broker.",
            )
            .show("pending", of_process(&own("ordermill_outbox_pending_messages"), ""))
            .show("parked rows", global(&own("ordermill_outbox_parked_rows"), "")),
            Panel::lines("Oldest message", Unit::Seconds, "Age of the oldest message under way.")
                .good(Limit::Below(10.0, 60.0))
                .show("{{instance}}", global(&own("ordermill_outbox_oldest_seconds"), "instance")),
            Panel::stacked("Published", Unit::PerSecond, "Messages published, by outcome.")
                .show("{{outcome}}", rate(&own("ordermill_outbox_published_total"), "outcome")),
            times(
                "Confirms",
                "ordermill_outbox_confirm_seconds",
                "From publish to the broker's confirm.",
            ),
            Panel::lines(
                "Adopted rows",
                Unit::PerSecond,
                "Rows taken over from processes that have ended.",
            )
            .show("rows", rate(&own("ordermill_outbox_adopted_rows_total"), "")),
        ],
    }
}

fn consumers() -> Row {
    Row {
        title: "Queues and consumers",
        panels: vec![
            Panel::lines("Queue depth", Unit::Count, "Deliveries that wait in each queue.")
                .show("{{queue}}", global(&on_queues("ordermill_queue_messages_ready"), "queue")),
            Panel::lines(
                "Consumers",
                Unit::Count,
                "Consumers of each queue. Zero: nobody takes its messages.",
            )
            .show("{{queue}}", global(&on_queues("ordermill_queue_consumers"), "queue")),
            Panel::lines(
                "Deliveries",
                Unit::PerSecond,
                "Deliveries received; a bundle of messages is one.",
            )
            .show("{{queue}}", rate(&on_queues("ordermill_consumer_deliveries_total"), "queue")),
            Panel::stacked("Messages handled", Unit::PerSecond, "By queue and outcome.").show(
                "{{queue}} {{outcome}}",
                rate(&on_queues("ordermill_consumer_messages_total"), "queue, outcome"),
            ),
            Panel::lines("Deliveries in flight", Unit::Count, "Received and not acknowledged.")
                .show(
                    "{{queue}}",
                    of_process(&on_queues("ordermill_consumer_deliveries_in_flight"), "queue"),
                ),
            Panel::lines(
                "Handling p99",
                Unit::Seconds,
                "A message, from delivery until its effects are committed.",
            )
            .show(
                "{{queue}}",
                quantile(0.99, "ordermill_consumer_handle_seconds", QUEUES, "queue"),
            ),
            Panel::lines(
                "Queue delay p99",
                Unit::Seconds,
                "A message, from its decision to its first delivery.",
            )
            .show(
                "{{queue}}",
                quantile(0.99, "ordermill_consumer_queue_delay_seconds", QUEUES, "queue"),
            ),
        ],
    }
}

fn dead_letters() -> Row {
    let moved = Panel::lines(
        "Stored and removed",
        Unit::PerSecond,
        "Dead letters stored, redriven and discarded.",
    )
    .show("stored: {{queue}}", rate(&own("ordermill_dead_letters_stored_total"), "queue"))
    .show("redriven", rate(&own("ordermill_dead_letters_redriven_total"), ""))
    .show("discarded", rate(&own("ordermill_dead_letters_discarded_total"), ""));
    Row {
        title: "Dead letters",
        panels: vec![
            Panel::lines("Dead letters", Unit::Count, "There are now, by queue.")
                .good(Limit::Below(1.0, 10.0))
                .show("{{queue}}", global(&own("ordermill_dead_letters"), "queue")),
            Panel::number(
                "Oldest dead letter",
                Unit::Seconds,
                "Its age. Empty when there is none.",
            )
            .show("age", global(&own("ordermill_dead_letters_oldest_seconds"), "")),
            moved,
        ],
    }
}

fn database() -> Row {
    Row {
        title: "Database",
        panels: vec![
            Panel::lines(
                "Up",
                Unit::UpDown,
                "Whether the last commit or read was answered, by process.",
            )
            .show("{{instance}}", Query::raw(own("ordermill_database_up"))),
            Panel::lines("Reads in flight", Unit::Count, "Reads that have a session.").show(
                "{{instance}}",
                of_process(&own("ordermill_database_reads_in_flight"), "instance"),
            ),
            times(
                "Wait for a session",
                "ordermill_database_wait_seconds",
                "What reads waited for a session.",
            ),
            times("Reads", "ordermill_database_read_seconds", "A read."),
            Panel::lines(
                "Clock skew",
                Unit::SignedSeconds,
                "The database server's clock less the process's; PostgreSQL only.",
            )
            .show("{{instance}}", Query::raw(own("ordermill_database_clock_skew_seconds"))),
        ],
    }
}
