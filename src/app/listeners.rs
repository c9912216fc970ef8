//! What this process listens on: the API, and webhooks apart from it where a setting says so.

use super::http::{Http, Listen};
use crate::api::{StartupGate, WebhookListener, Webhooks};
use crate::config::Config;
use crate::metrics::ServerMetrics;
use ordermill_domain::clock::World;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What this process listens on.
pub struct Listeners {
    /// Answers at `http`.
    pub startup_gate: StartupGate,
    /// The main listener.
    pub http: Arc<Http<StartupGate>>,
    /// Answers payment gateways, on either listener.
    pub webhooks: Arc<Webhooks>,
    /// The listener of webhooks alone. None: they come to `http`.
    pub webhook_http: Option<Arc<Http<WebhookListener>>>,
}

impl Listeners {
    /// Listens from now on until `stop`.
    pub async fn open(
        config: &Config,
        startup_gate: StartupGate,
        world: &World,
        stop: &CancellationToken,
        metrics: &ServerMetrics,
    ) -> anyhow::Result<Self> {
        let patience = config.shutdown_timeout / 2;
        let listen = Listen::api(config.listen, metrics.http.clone());
        let http = Http::open(listen, startup_gate.clone(), stop.clone(), patience).await?;
        tracing::info!(service = "http", address = %http.address(), "listening; GET /ready reports readiness");
        let webhooks = Arc::new(Webhooks::new(metrics));
        let webhook_http = match config.webhook_listen {
            Some(address) => {
                let endpoint = WebhookListener::new(webhooks.clone(), world.clone());
                let listen = Listen::webhooks(address, metrics.http.clone());
                let http = Http::open(listen, endpoint, stop.clone(), patience).await?;
                tracing::info!(service = "http", address = %http.address(), "listening for webhooks");
                Some(http)
            }
            None => None,
        };
        Ok(Self { startup_gate, http, webhooks, webhook_http })
    }
}
