//! What does not go on by itself.

use crate::dashboards::layout::{Limit, Panel, Row, Unit};
use crate::dashboards::query::{global, of_process, rate};

pub(super) fn row() -> Row {
    Row {
        title: "What is stuck",
        panels: vec![
            Panel::number(
                "Sagas that need a person",
                Unit::Count,
                "Sagas that are FAILED. GET /admin/sagas?status=FAILED lists them.",
            )
            .good(Limit::Below(1.0, 1.0))
            .show("FAILED", global(r#"ordermill_sagas{status="FAILED"}"#, "")),
            Panel::lines(
                "Oldest saga",
                Unit::Seconds,
                "Age of the oldest saga of each status. An order that waits for its customer's payment is as old as that.",
            )
            .show("{{status}}", global("ordermill_saga_oldest_seconds", "status")),
            Panel::lines(
                "Sagas past their deadline",
                Unit::Count,
                "Sagas whose sweeper should have acted by now. A few for a second is normal.",
            )
            .show("overdue", global("ordermill_sagas_overdue", "")),
            Panel::lines(
                "Commands sent again",
                Unit::PerSecond,
                "Commands repeated because no reply came in time, by step.",
            )
            .show("{{step}}", rate("ordermill_saga_commands_resent_total", "step")),
            Panel::lines(
                "Oldest dead letter",
                Unit::Seconds,
                "Age of the oldest dead letter of each service. Empty when there is none.",
            )
            .show("{{service}}", global("ordermill_dead_letters_oldest_seconds", "service")),
            dead_letters(),
            Panel::number(
                "Payments that wait for a person",
                Unit::Count,
                "By reason; GET /admin/payments lists them, docs/OPERATING.md says what to do.",
            )
            .good(Limit::Below(1.0, 10.0))
            .show("{{reason}}", global("ordermill_payments_attention", "reason")),
            Panel::number(
                "Quarantined actors",
                Unit::Count,
                "Actors left alone until an operator releases them, by kind.",
            )
            .good(Limit::Below(1.0, 1.0))
            .show("{{kind}}", of_process("ordermill_actors_quarantined", "kind")),
            Panel::number(
                "Disagreements between services",
                Unit::Count,
                "Found by the last background reconciliation, by what they are about; ordermill check names them.",
            )
            .good(Limit::Below(1.0, 1.0))
            .show("{{aspect}}", global("ordermill_disagreements", "aspect")),
        ],
    }
}

fn dead_letters() -> Panel {
    let description = "Dead letters stored, sent back to their queues, and discarded, per second.";
    Panel::lines("Dead letters stored and removed", Unit::PerSecond, description)
        .show("stored: {{queue}}", rate("ordermill_dead_letters_stored_total", "queue"))
        .show("redriven: {{service}}", rate("ordermill_dead_letters_redriven_total", "service"))
        .show("discarded: {{service}}", rate("ordermill_dead_letters_discarded_total", "service"))
}
