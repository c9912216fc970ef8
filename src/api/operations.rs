//! /health, /ready, /metrics: for machines.

use crate::access::Caller;
use crate::api::group::Group;
use crate::api::metrics;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::metrics::Format;
use ordermill_domain::access::Permission;
use poem_openapi::param::Header;
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

/// The process is alive.
#[derive(Object)]
pub struct Health {
    /// Always this value.
    status: Alive,
}

/// The status of a live process.
#[derive(Enum)]
#[oai(rename_all = "lowercase")]
enum Alive {
    Ok,
}

impl Health {
    /// The process is alive.
    pub fn ok() -> Self {
        Self { status: Alive::Ok }
    }
}

/// The readiness of the process.
#[derive(Object)]
pub struct Readiness {
    /// Whether the process accepts orders.
    ready: bool,
    /// The unavailable dependencies, for those who may know.
    missing: Vec<String>,
    /// What needs attention, although orders are accepted: a payment gateway that rejects the
    /// configured credentials.
    warnings: Vec<String>,
    /// The lag: the age of the oldest pending work, in milliseconds.
    lag_ms: u64,
}

impl Readiness {
    /// While the process starts.
    pub fn starting(missing: String) -> Self {
        Self { ready: false, missing: vec![missing], warnings: Vec::new(), lag_ms: 0 }
    }
}

/// Whether it can do its work.
#[derive(ApiResponse)]
enum Ready {
    /// Ready.
    #[oai(status = 200)]
    Yes(Json<Readiness>),
    /// Not ready.
    #[oai(status = 503)]
    No(Json<Readiness>),
}

/// The metrics.
#[derive(ApiResponse)]
enum Page {
    /// The metrics, in the format that was asked for.
    #[oai(status = 200)]
    Metrics(PlainText<String>, #[oai(header = "Content-Type")] String),
}

/// The routes.
pub struct OperationsApi(pub State);

#[OpenApi(tag = "Group::Operations")]
impl OperationsApi {
    /// Liveness probe
    ///
    /// Responds as soon as the process has started, even if its dependencies are unavailable.
    #[oai(path = "/health", method = "get")]
    async fn health(&self) -> Json<Health> {
        Json(Health::ok())
    }

    /// Readiness probe
    ///
    /// Responds with 503 while a database or the broker is unavailable, while the process shuts
    /// down, and while it is overloaded. A payment gateway that rejects the configured credentials
    /// is a warning: orders that do not need it are processed. Where API keys are required, only the
    /// roles operator and admin are told what is missing, and the warnings.
    #[oai(path = "/ready", method = "get")]
    async fn ready(&self, request: &poem::Request) -> Ready {
        let missing = self.0.missing();
        let lag_ms = u64::try_from(self.0.admission.lag().as_millis()).unwrap_or(u64::MAX);
        let ready = missing.is_empty();
        let stopped = self.0.gateway_health.stopped_providers();
        let warnings = stopped.iter().map(|provider| {
            format!("{provider} rejects the configured credentials: its payments wait")
        });
        let warnings = warnings.collect();
        let mut view = Readiness { ready, missing, warnings, lag_ms };
        if !Caller::sending(request).may_all(Permission::ReadAdmin) {
            view = Readiness { missing: Vec::new(), warnings: Vec::new(), ..view };
        }
        let view = Json(view);
        if ready { Ready::Yes(view) } else { Ready::No(view) }
    }

    /// Metrics for Prometheus
    ///
    /// In the Prometheus text format 0.0.4, or in OpenMetrics 1.0, with exemplars, where `Accept`
    /// names `application/openmetrics-text`.
    #[oai(path = "/metrics", method = "get")]
    async fn metrics(
        &self,
        /// The media types that the client understands.
        accept: Header<Option<String>>,
    ) -> Result<Page, Problem> {
        let format = Format::accepted(accept.0.as_deref());
        let text = metrics::page(&self.0, format);
        let text = text.map_err(|_| Problem::internal(&"the metrics could not be written"))?;
        Ok(Page::Metrics(PlainText(text), format.content_type().to_owned()))
    }
}
