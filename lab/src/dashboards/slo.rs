//! The objectives: how well they are kept, and how fast their error budgets are used up.
//!
//! The ratios are recorded by `deploy/prometheus/slo.rules.yml`, which also has the alerts.

use super::layout::{Dashboard, Limit, Panel, Row, Unit};
use super::query::{Query, increase, rate};

/// Selects attempts to order.
const ORDERS: &str = r#"http_requests_total{method="POST",path="/orders"}"#;
/// Selects attempts to order that failed, those that were turned away among them.
const FAILED: &str = r#"http_requests_total{method="POST",path="/orders",status=~"5.."}"#;
/// Counts orders that were answered or expired, without those whose customers pay at a page.
const ANSWERED: &str =
    r#"ordermill_order_answered_seconds_count{payment="direct",outcome!="cancelled"}"#;
/// Counts those answered within the objective's five seconds. Its text depends on the exposition format.
const IN_TIME: &str =
    r#"ordermill_order_answered_seconds_bucket{payment="direct",outcome!="cancelled",le=~"5|5.0"}"#;

/// An objective, as the recorded ratios know it.
struct Objective {
    /// Of its recorded ratios: `ordermill:NAME:ratio_rate5m`.
    recorded: &'static str,
    /// The share that may fail.
    budget: f64,
}

const AVAILABILITY: Objective = Objective { recorded: "post_orders_failed", budget: 0.001 };
const CONFIRMATION: Objective = Objective { recorded: "orders_answered_late", budget: 0.01 };

impl Objective {
    fn failed_within(&self, window: &str) -> Query {
        Query::raw(format!("ordermill:{}:ratio_rate{window}", self.recorded))
    }

    /// Errors so many times faster than the budget allows.
    fn burn_rate(&self, window: &str) -> Query {
        Query::raw(format!("{} / {}", self.failed_within(window).0, self.budget))
    }

    /// The kept share within the three windows in which people think.
    fn kept(&self, title: &'static str, description: &'static str) -> Panel {
        let kept = |window| Query::raw(format!("1 - {}", self.failed_within(window).0));
        Panel::number(title, Unit::Ratio, description)
            .good(Limit::Above(1.0 - self.budget, 1.0 - self.budget))
            .show("1 hour", kept("1h"))
            .show("6 hours", kept("6h"))
            .show("3 days", kept("3d"))
    }

    /// What is left of the budget, of the time that the dashboard shows.
    fn budget_left(&self, title: &'static str, failed: &Query, all: &Query) -> Panel {
        let Query(failed) = failed;
        let left = format!("1 - ({failed}) / {} / {}", all.0, self.budget);
        let description = "Of the failures that the objective allows in the time shown, the share that is not used up.";
        Panel::number(title, Unit::SignedRatio, description)
            .good(Limit::Above(0.0, 0.25))
            .show("left", Query::raw(left))
    }

    fn burn_rates(&self, title: &'static str) -> Panel {
        let description = "How many times faster than the objective allows; 14.4 for an hour is 2 % of a month's budget.";
        Panel::lines(title, Unit::Count, description)
            .good(Limit::Below(6.0, 14.4))
            .show("5 minutes", self.burn_rate("5m"))
            .show("1 hour", self.burn_rate("1h"))
            .show("6 hours", self.burn_rate("6h"))
            .show("3 days", self.burn_rate("3d"))
    }
}

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "ordermill-slo",
        title: "Ordermill: objectives",
        description: "Availability: 99.9 % of POST /orders do not fail. Confirmation: 99 % of orders paid without a page \
                      are confirmed or refused within 5 s.",
        variables: Vec::new(),
        rows: vec![availability(), confirmation()],
    }
}

fn availability() -> Row {
    let within_range = |selector| increase(selector, "$__range", "");
    let failed = within_range(FAILED).or_zero();
    let turned_away = Panel::lines(
        "Failed and turned away",
        Unit::Ratio,
        "Shares of POST /orders answered with 5xx, and with 503 among them: those may be repeated under the same key.",
    )
    .show("failed", AVAILABILITY.failed_within("5m"))
    .show("turned away", Query::raw("ordermill:post_orders_turned_away:ratio_rate5m"));
    Row {
        title: "Availability: 99.9 % of POST /orders",
        panels: vec![
            AVAILABILITY
                .kept("Not failed", "Share of POST /orders that were not answered with 5xx."),
            AVAILABILITY.budget_left("Availability budget", &failed, &within_range(ORDERS)),
            AVAILABILITY.burn_rates("Availability burn rate"),
            turned_away,
            Panel::stacked("POST /orders", Unit::PerSecond, "Answers to POST /orders, by status.")
                .show("{{status}}", rate(ORDERS, "status")),
        ],
    }
}

fn confirmation() -> Row {
    let within_range = |selector| increase(selector, "$__range", "");
    let late = Query::raw(format!("{} - {}", within_range(ANSWERED).0, within_range(IN_TIME).0));
    Row {
        title: "Confirmation: 99 % within 5 s",
        panels: vec![
            CONFIRMATION.kept(
                "Within 5 s",
                "Share of orders paid without a page that were confirmed or refused within 5 s.",
            ),
            CONFIRMATION.budget_left("Confirmation budget", &late, &within_range(ANSWERED)),
            CONFIRMATION.burn_rates("Confirmation burn rate"),
            Panel::stacked(
                "Orders answered",
                Unit::PerSecond,
                "Orders paid without a page, by how they were answered.",
            )
            .show("{{outcome}}", rate(ANSWERED, "outcome")),
        ],
    }
}
