//! What every request passes first and every answer last, from the process's first moment on.
//!
//! ```text
//! request ─▶ id ─▶ guard ─▶ caller ─▶ the API; while the process starts: /health, /ready, and 503 for the rest
//!             └──▶ a refusal │
//! answer ◀── id, security headers ◀─┘
//! ```

use crate::access::{Caller, Keys};
use crate::api::operations::{Health, Readiness};
use crate::api::problem::Problem;
use crate::api::{guard, request_id};
use crate::app::Boot;
use crate::host::Hosts;
use crate::metrics::{HttpMetrics, Refused, UNMATCHED};
use ordermill_domain::access::Permission;
use ordermill_domain::clock::World;
use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::payload::Json;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// When it is worth another try while the process starts.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The endpoint of a process from its first moment on. Cheap to clone.
#[derive(Clone)]
pub struct StartupGate {
    boot: Arc<Boot>,
    world: World,
    hosts: Arc<Hosts>,
    metrics: HttpMetrics,
    keys: Arc<Keys>,
    api: Arc<OnceLock<BoxEndpoint<'static, Response>>>,
}

impl StartupGate {
    /// A door that is closed yet, of a server that answers to these names.
    pub fn new(
        boot: Arc<Boot>,
        world: World,
        hosts: Hosts,
        keys: Arc<Keys>,
        metrics: HttpMetrics,
    ) -> Self {
        Self { boot, world, hosts: hosts.into(), metrics, keys, api: Arc::default() }
    }

    /// Has the API answer from now on.
    pub fn open(&self, api: BoxEndpoint<'static, Response>) {
        // It is opened once: a second API would be a second process.
        let _ = self.api.set(api);
    }

    fn closed(&self, path: &str, caller: &Caller) -> Response {
        // The words of a database or of the broker name hosts and users.
        let missing = match caller.may_all(Permission::ReadAdmin) {
            true => self.boot.missing(),
            false => self.boot.missing_part(),
        };
        let starting = || "the process is starting".to_owned();
        match path {
            "/health" => Json(Health::ok()).into_response(),
            "/ready" => {
                let missing = missing.unwrap_or_else(starting);
                let mut response = Json(Readiness::starting(missing)).into_response();
                response.set_status(StatusCode::SERVICE_UNAVAILABLE);
                response
            }
            _ => {
                let waits = |missing| format!("{}: waiting for {missing}", starting());
                let detail = missing.map_or_else(starting, waits);
                Problem::unavailable(detail, RETRY_AFTER).into_response()
            }
        }
    }
}

impl StartupGate {
    async fn answer(&self, mut request: Request) -> Response {
        let started = Instant::now();
        if let Some(refusal) = guard::refusal(&request, &self.hosts) {
            let (method, status) = (request.method(), refusal.status());
            self.metrics.refused(Refused::UnsafeOrigin);
            self.metrics.answered(method, UNMATCHED, status, started.elapsed(), None);
            return refusal;
        }
        let caller = self.keys.caller(request.headers());
        match self.api.get() {
            Some(api) => {
                request.set_data(caller);
                api.get_response(request).await
            }
            None => {
                self.metrics.refused(Refused::Starting);
                self.closed(request.uri().path(), &caller)
            }
        }
    }
}

impl Endpoint for StartupGate {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let answer = |request| self.answer(request);
        Ok(request_id::answer_under_id(request, &self.world, answer).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::world;
    use poem::test::TestClient;

    fn gate(boot: Arc<Boot>) -> StartupGate {
        let keys = Arc::new(Keys::over(None, true, world::real()));
        StartupGate::new(boot, world::real(), Hosts::default(), keys, HttpMetrics::default())
    }

    #[tokio::test]
    async fn while_it_starts_it_says_so_once_and_under_the_requests_id() {
        let boot = Arc::new(Boot::new(Duration::from_secs(1)));
        let client = TestClient::new(gate(boot));
        let asked = client.get("/orders").header("host", "localhost");
        let response = asked.header("X-Request-ID", "mine").send().await;
        response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
        response.assert_header("x-request-id", "mine");
        response.assert_header("x-content-type-options", "nosniff");
        let body = response.json().await;
        let body = body.value().object();
        body.get("detail").assert_string("the process is starting");
        body.get("request_id").assert_string("mine");
    }

    #[tokio::test]
    async fn while_it_starts_it_is_guarded_too() {
        let boot = Arc::new(Boot::new(Duration::from_secs(1)));
        let client = TestClient::new(gate(boot));
        for (path, status) in [("/orders", 421), ("/docs", 421), ("/health", 200), ("/ready", 503)]
        {
            let response = client.get(path).header("host", "evil.example").send().await;
            response.assert_status(StatusCode::from_u16(status).unwrap());
            response.assert_header("x-frame-options", "DENY");
        }
        let forged = client.post("/orders").header("host", "localhost").header("origin", "null");
        forged.send().await.assert_status(StatusCode::FORBIDDEN);
    }
}
