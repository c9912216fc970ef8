//! /health, /ready, /metrics: for machines.

use crate::api::group::Group;
use crate::api::state::State;
use ordermill_actors::ports::Health as Connection;
use ordermill_actors::runtime::admission::LAG_TARGET;
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

/// It lives.
#[derive(Object)]
pub struct Health {
    /// It is always this word.
    status: Alive,
}

/// The word for a process that lives.
#[derive(Enum)]
#[oai(rename_all = "lowercase")]
enum Alive {
    Ok,
}

impl Health {
    /// It lives.
    pub fn ok() -> Self {
        Self { status: Alive::Ok }
    }
}

/// What is missing.
#[derive(Object)]
pub struct Readiness {
    /// Whether it can take orders.
    ready: bool,
    /// What is missing, in words.
    missing: Vec<String>,
    /// How far the oldest work is behind, in milliseconds.
    lag_ms: u64,
}

impl Readiness {
    /// While the process starts.
    pub fn starting(missing: String) -> Self {
        Self { ready: false, missing: vec![missing], lag_ms: 0 }
    }
}

/// Whether it can do its work.
#[derive(ApiResponse)]
enum Ready {
    /// It can.
    #[oai(status = 200)]
    Yes(Json<Readiness>),
    /// Something is missing.
    #[oai(status = 503)]
    No(Json<Readiness>),
}

/// What is wrong with the broker, in words.
pub fn broker_problem(health: &Connection) -> Option<String> {
    match health {
        Connection::Connected => None,
        Connection::Blocked(why) => Some(format!("the broker takes nothing: {why}")),
        Connection::Away(why) => Some(format!("the broker is away: {why}")),
    }
}

/// The routes.
pub struct OperationsApi(pub State);

#[OpenApi(tag = "Group::Operations")]
impl OperationsApi {
    /// Whether the process lives
    ///
    /// Answers as soon as the process has started, whatever else is missing.
    #[oai(path = "/health", method = "get")]
    async fn health(&self) -> Json<Health> {
        Json(Health::ok())
    }

    /// Whether it can take orders, and what is missing
    ///
    /// 503 while a database or the broker is not available, while the process ends, and while too much is under way.
    #[oai(path = "/ready", method = "get")]
    async fn ready(&self) -> Ready {
        let admission = &self.0.admission;
        let mut missing = Vec::new();
        for (service, cause) in admission.down() {
            missing.push(format!("the {service} database is not available: {cause}"));
        }
        missing.extend(broker_problem(&self.0.broker.health()));
        if self.0.stop.is_cancelled() {
            missing.push("the process is ending".to_owned());
        }
        if admission.lag() >= LAG_TARGET {
            missing.push("too much is under way: orders are turned away".to_owned());
            missing.extend(admission.unconsumed_queues().iter().map(ToString::to_string));
        }
        let lag_ms = u64::try_from(admission.lag().as_millis()).unwrap_or(u64::MAX);
        let ready = missing.is_empty();
        let view = Json(Readiness { ready, missing, lag_ms });
        if ready { Ready::Yes(view) } else { Ready::No(view) }
    }

    /// Metrics for Prometheus
    ///
    /// In the text format of Prometheus.
    #[oai(path = "/metrics", method = "get")]
    async fn metrics(&self) -> PlainText<String> {
        PlainText(self.0.metrics.render())
    }
}
