//! What each process uses.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{Query, global, of_process, quantile, rate};

pub(super) fn row() -> Row {
    let mut panels = process();
    panels.extend(databases());
    panels.extend(actors());
    Row { title: "Resources", panels }
}

fn process() -> Vec<Panel> {
    vec![
        Panel::lines("CPU", Unit::Count, "Cores in use, by process.")
            .show("{{instance}}", rate("process_cpu_seconds_total", "instance")),
        memory(),
        Panel::lines(
            "Open files",
            Unit::Ratio,
            "File descriptors in use, of those that are allowed.",
        )
        .good(Limit::Below(0.7, 0.9))
        .show(
            "{{instance}}",
            Query::raw("process_open_fds").divided_by(&Query::raw("process_max_fds")),
        ),
        Panel::lines("Connections", Unit::Count, "Open HTTP connections, by listener.")
            .show("{{listener}}", of_process("ordermill_http_connections_open", "listener")),
        Panel::lines(
            "Requests refused early",
            Unit::PerSecond,
            "Requests refused before any route looked at them, by reason.",
        )
        .show("{{reason}}", rate("ordermill_http_refused_total", "reason")),
        Panel::lines(
            "Runtime",
            Unit::Count,
            "Tasks alive, and tasks that wait in the runtime's queue.",
        )
        .show("tasks", of_process("ordermill_runtime_tasks", ""))
        .show("waiting", of_process("ordermill_runtime_queue_depth", "")),
        Panel::lines("Runtime threads busy", Unit::Count, "Worker threads at work, by process.")
            .show("{{instance}}", rate("ordermill_runtime_busy_seconds_total", "instance")),
        dropped(),
        Panel::number("Version", Unit::Count, "Processes by version, back end and flow.").show(
            "{{version}} {{backend}} {{flow}}",
            Query::raw("count by (version, backend, flow) (ordermill_build_info)"),
        ),
    ]
}

fn memory() -> Panel {
    Panel::lines(
        "Memory",
        Unit::Bytes,
        "What the process has, and what the allocator has given out.",
    )
    .show("resident", of_process("process_resident_memory_bytes", ""))
    .show("allocator: {{state}}", of_process("ordermill_allocator_bytes", "state"))
}

fn dropped() -> Panel {
    let description =
        "Log lines that standard error did not take in time, and spans that were not exported.";
    Panel::lines("Dropped lines and spans", Unit::PerSecond, description)
        .show("log lines", rate("ordermill_log_lines_dropped_total", ""))
        .show("spans", rate(r#"ordermill_trace_spans_total{outcome="dropped"}"#, ""))
}

fn databases() -> Vec<Panel> {
    vec![
        Panel::lines("Database reads", Unit::Count, "Reads that have a session.")
            .show("{{service}}", of_process("ordermill_database_reads_in_flight", "service")),
        Panel::lines(
            "Wait for a database session p99",
            Unit::Seconds,
            "What reads waited for a session.",
        )
        .show("{{service}}", quantile(0.99, "ordermill_database_wait_seconds", "", "service")),
        Panel::lines(
            "Free disk space",
            Unit::Bytes,
            "Of the data directory's file system; SQLite only.",
        )
        .show("{{instance}}", global("ordermill_data_disk_free_bytes", "instance")),
    ]
}

fn actors() -> Vec<Panel> {
    vec![
        Panel::stacked("Actors", Unit::Count, "Actors, by kind.")
            .show("{{kind}}", of_process("ordermill_actors", "kind")),
        Panel::lines("Mailboxes", Unit::Count, "Messages that wait in actors' mailboxes, by kind.")
            .show("{{kind}}", of_process("ordermill_actor_mailbox_messages", "kind")),
        Panel::lines(
            "Restarts",
            Unit::PerSecond,
            "Actors restarted by their supervisors, by kind.",
        )
        .show("{{kind}}", rate("ordermill_actor_restarts_total", "kind")),
    ]
}
