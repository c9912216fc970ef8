//! `ordermill-lab dashboards`: writes the Grafana dashboards of `deploy/grafana/dashboards`.
//!
//! ```text
//! overview ┐
//! service  ├─▶ layout: Dashboard, Row, Panel, Query ──▶ grafana: the JSON that Grafana reads ──▶ files
//! slo      ┘
//! ```
//!
//! The committed files are compared with this code by a test. Names of metrics are those of `docs/METRICS.md`.

mod command;
mod grafana;
mod layout;
mod overview;
mod query;
mod service;
mod slo;
#[cfg(test)]
mod tests;

pub use command::{DashboardsArgs, Drift, run};

/// Every dashboard: the name of its file, and its text.
pub fn all() -> Vec<(String, String)> {
    let dashboards = [overview::dashboard(), service::dashboard(), slo::dashboard()];
    dashboards
        .iter()
        .map(|dashboard| (format!("{}.json", dashboard.uid), dashboard.to_json()))
        .collect()
}
