//! The process: the services wired together, started in one order and ended in another.
//!
//! ```text
//! start: data directory ─▶ listen ─▶ open and migrate databases ─▶ connect and declare ─▶
//!        supervisors ─▶ serve
//! end:   drain ─▶ close admission and the streams ─▶ let what was said be heard ─▶ consumers ─▶ commit ─▶ stop ─▶ close files
//! ```

mod acceptor;
mod boot;
mod brokers;
mod connection;
pub(crate) mod databases;
mod gateways;
mod http;
mod listeners;
mod open_stores;
mod run;
mod services;
pub mod world;

pub use boot::{Boot, NotAvailable};
pub(crate) use open_stores::{migrate_databases, open_stores};
pub use services::{ServiceNotLocal, Services};

use crate::access::{Keys, NoCredentials};
use crate::backup::Backups;
use crate::check::{self, System, SystemState};
use crate::config::{Config, ConfigError, Infrastructure};
use crate::metrics::{Facts, ServerMetrics};
use crate::sms::LogSms;
use crate::smtp::SmtpMessenger;
use crate::{api, reload, simulated_pages, telemetry, waiting};
use anyhow::Context;
use async_trait::async_trait;
use brokers::Brokers;
use databases::{CLOSE_WITHIN, Databases};
use http::Http;
use listeners::Listeners;
use ordermill_actors::faults::{self, Point};
use ordermill_actors::notification::Messengers;
use ordermill_actors::payment::{GatewayHealth, PaymentRequests};
use ordermill_actors::ports::{Messenger, ReadError};
use ordermill_actors::runtime::admission::Admission;
use ordermill_actors::runtime::consumer_handle::ConsumerHandle;
use ordermill_actors::runtime::journal::JournalHealth;
use ordermill_actors::runtime::lag::Lag;
use ordermill_actors::runtime::relay::RelayBacklog;
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::runtime::supervisor::Msg;
use ordermill_actors::traces::{Systems, Tracer};
use ordermill_domain::clock::World;
use ordermill_domain::ids::ServiceName;
use ractor::{Actor, ActorRef};
use services::Outside;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Level;

/// How often the end looks whether everything in flight is committed.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// How long the last spans may take to be exported.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// The name of the supervisor of what answers HTTP.
const HTTP: &str = "http";

/// The name of the supervisor of the reconciliation in the background.
const CHECK: &str = "reconciliation";

/// How this process stands.
struct ProcessState {
    world: World,
    admission: Arc<Admission>,
    lag: Arc<Lag>,
}

#[async_trait]
impl System for ProcessState {
    async fn state(&self) -> Result<SystemState, ReadError> {
        // What piled up a moment ago passes several queues in turn.
        let lag = self.admission.lag().max(self.lag.recent_max());
        Ok(SystemState { now: self.world.now(), lag })
    }
}

/// A process that listens, and is about to open what stands behind its services.
struct Listening {
    databases: Databases,
    world: World,
    stop: CancellationToken,
    listeners: Listeners,
    metrics: Arc<ServerMetrics>,
    keys: Arc<Keys>,
}

/// A running process.
pub struct App {
    address: SocketAddr,
    config: Config,
    root: ActorRef<Msg>,
    root_ended: JoinHandle<()>,
    http: Arc<Http<api::StartupGate>>,
    webhook_http: Option<Arc<Http<api::WebhookListener>>>,
    stop: CancellationToken,
    /// It was asked to stop, or stops.
    leaving: CancellationToken,
    admission: Arc<Admission>,
    brokers: Brokers,
    databases: Databases,
    backups: Option<Backups>,
    traces: Option<Arc<telemetry::Otlp>>,
    consumers: Vec<ConsumerHandle>,
    journals: Vec<Arc<JournalHealth>>,
    backlogs: Vec<Arc<RelayBacklog>>,
}

impl App {
    /// Takes the data directory, listens, waits for what stands behind the services, and starts them.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let boot = Arc::new(Boot::new(config.startup_timeout));
        Self::start_seen(config, boot).await
    }

    /// The same for somebody who looks meanwhile at what it waits for.
    pub async fn start_seen(config: Config, boot: Arc<Boot>) -> anyhow::Result<Self> {
        Self::start_with(config, boot, None).await
    }

    /// The same with a payment service that somebody else runs: a test's, for instance. None: this process's own, or
    /// that of another process.
    pub async fn start_with(
        config: Config,
        boot: Arc<Boot>,
        payment_requests: Option<Arc<dyn PaymentRequests>>,
    ) -> anyhow::Result<Self> {
        let world = world::real();
        let keys = Arc::new(Keys::new(&config, world.clone())?);
        keys.read_first().await;
        if keys.lacks_credentials() {
            return Err(ConfigError::from(NoCredentials(config.listen)).into());
        }
        let databases = Databases::new(&config, world::owner())?;
        let stop = CancellationToken::new();
        keys.keep_reading(stop.clone());
        reload::on_hangup(&config, stop.clone())?;
        let metrics = Arc::new(ServerMetrics::new(facts(&config)));
        let startup_gate = api::StartupGate::new(
            boot.clone(),
            world.clone(),
            config.hosts.clone(),
            keys.clone(),
            metrics.http.clone(),
        );
        // Where the start fails, the server goes with everything else.
        let unless_started = stop.clone().drop_guard();
        let listeners = Listeners::open(&config, startup_gate, &world, &stop, &metrics).await?;
        let listening = Listening { databases, world, stop, listeners, metrics, keys };
        let app = Self::start_serving(config, &boot, listening, payment_requests).await?;
        unless_started.disarm();
        Ok(app)
    }

    async fn start_serving(
        config: Config,
        boot: &Boot,
        listening: Listening,
        payment_requests: Option<Arc<dyn PaymentRequests>>,
    ) -> anyhow::Result<Self> {
        let Listening { databases, world, stop, listeners, metrics, keys } = listening;
        let Listeners { startup_gate, http, webhooks, webhook_http } = listeners;
        let address = http.address();
        let email = config.smtp.as_ref().map(SmtpMessenger::new).transpose()?;
        let messengers = Messengers {
            email: email.map(|messenger| Arc::new(messenger) as Arc<dyn Messenger>),
            sms: config.sms.then(|| Arc::new(LogSms) as Arc<dyn Messenger>),
        };
        let traces = telemetry::Otlp::from_env()?.map(Arc::new);
        let alone = config.infrastructure == Infrastructure::Embedded;
        let stores = match databases.open_unmixed(&config, boot, &metrics.parts.database).await {
            Ok(stores) => stores,
            Err(error) => {
                databases.close(CLOSE_WITHIN).await;
                return Err(error);
            }
        };
        let brokers = Brokers::open(&config, boot, stores.identities()).await?;
        let backups = databases.backups(&world, &stop);

        let mut process = Process::new(world.clone(), brokers.broker.clone());
        process.tracer = tracer(traces.clone(), &config.infrastructure);
        process.rpc = Some(brokers.rpc.clone());
        process.metrics = metrics.parts.clone();
        let gateway_health = Arc::new(GatewayHealth::default());
        let outside = Outside {
            gateways: gateways::gateways(&config.gateways, &world, gateway_health.clone())?,
            readers: gateways::readers(&config.gateways),
            pages_url: simulated_pages::base_url(address),
        };
        let (services, mut parts) =
            services::wire(&mut process, stores, &config, messengers, outside, alone);
        let payment_requests =
            payment_requests.unwrap_or_else(|| services.payment_requests(&brokers.rpc));
        let admission = Arc::new(Admission::new(
            process.journals.clone(),
            process.lag.clone(),
            metrics.parts.admission.clone(),
        ));
        let sources = services.sources().clone();
        let system: Arc<dyn System> = Arc::new(ProcessState {
            world: world.clone(),
            admission: admission.clone(),
            lag: process.lag.clone(),
        });
        webhooks.open(payment_requests.clone());
        let leaving = stop.child_token();
        let api = api::Api::new(api::Parts {
            payment_requests,
            gateway_health,
            system: system.clone(),
            keys,
            services,
            serves_simulated_pages: config.serves_simulated_pages(),
            payments: config.gateways.accepted(&config.order),
            tree: process.tree.clone(),
            admission: admission.clone(),
            broker: brokers.broker.clone(),
            rpc: brokers.rpc.clone(),
            dead_letters: std::mem::take(&mut process.dead_letters),
            journals: process.journals.clone(),
            backlogs: process.backlogs.clone(),
            consumers: process.consumers.clone(),
            backups: backups.clone(),
            metrics: metrics.clone(),
            tracer: process.tracer.clone(),
            trace_stats: traces.as_ref().map(|traces| traces.stats().clone()),
            world,
            stop: stop.clone(),
            leaving: leaving.clone(),
        });
        let mut http_parts = api.parts(HTTP);
        let node = process.tree.part(Some(HTTP), "server", "http/server");
        http_parts.push(http.clone().child_spec(node));
        if let Some(webhook_http) = &webhook_http {
            let node = process.tree.part(Some(HTTP), "server", "http/webhooks");
            http_parts.push(webhook_http.clone().child_spec(node));
        }
        parts.push(process.group(HTTP, http_parts));
        let is_whole = ServiceName::ALL.iter().all(|name| config.services.contains(name));
        if let Some(every) = config.check_interval.filter(|_| is_whole) {
            let node = process.tree.part(Some(CHECK), "routine", "reconciliation/check");
            let part = check::background::child_spec(check::background::Parts {
                sources,
                system,
                node,
                every,
                metrics,
            });
            parts.push(process.group(CHECK, vec![part]));
        }
        let supervisor = process.supervisor(parts);
        let (root, root_ended) =
            Actor::spawn(None, supervisor, ()).await.context("the services")?;
        startup_gate.open(api.endpoint(webhook_http.is_none().then_some(webhooks)));
        databases.serve_at(&format!("http://{address}"));
        let Process { journals, backlogs, consumers, .. } = process;
        Ok(Self {
            address,
            config,
            root,
            root_ended,
            http,
            webhook_http,
            stop,
            leaving,
            admission,
            brokers,
            databases,
            backups,
            traces,
            consumers,
            journals,
            backlogs,
        })
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where webhooks are served, as a URL.
    pub fn webhook_url(&self) -> String {
        let own = self.webhook_http.as_ref().map(|http| http.address());
        format!("http://{}", own.unwrap_or(self.address))
    }

    /// What a person who started it wants to know, in the log's format.
    pub fn banner(&self) -> String {
        let url = self.url();
        let data = match &self.config.infrastructure {
            Infrastructure::Embedded => self.config.data_dir.display().to_string(),
            Infrastructure::Servers(_) => "PostgreSQL and RabbitMQ".to_owned(),
        };
        let (services, does) = (self.services(), self.does());
        let words = format!(
            "Ordermill {does}\n\
             \x20 Swagger UI   {url}/docs\n\
             \x20 actor tree   {url}/admin/actors\n\
             \x20 metrics      {url}/metrics\n\
             \x20 data         {data}\n\
             \x20 services     {services}"
        );
        let fields = [("url", url.into()), ("data", data.into()), ("services", services.into())];
        telemetry::said(Level::INFO, &words, &format!("Ordermill {does}"), fields)
    }

    fn services(&self) -> String {
        let services: Vec<_> = self.config.services.iter().map(|name| name.as_str()).collect();
        services.join(", ")
    }

    /// What it does, and where.
    fn does(&self) -> String {
        let url = self.url();
        match self.config.services.contains(&ServiceName::Order) {
            true => format!("takes orders at {url}/orders"),
            false => format!("runs {} at {url}", self.services()),
        }
    }

    /// Ends in good order: true when nothing was left half done in time. What could not be heard any
    /// more is in the outbox, and taken up at the next start.
    pub async fn stop(self) -> bool {
        let deadline = Instant::now() + self.config.shutdown_timeout;
        tracing::info!(within = ?self.config.shutdown_timeout, "stopping: no new orders are accepted");
        self.admission.close();
        self.stop.cancel();
        // Requests that are being answered end first: they may still hand in changes.
        self.http.ended(deadline).await;
        if let Some(http) = &self.webhook_http {
            http.ended(deadline).await;
        }
        // What is committed is heard, and what follows from it too: orders that wait for nobody outside
        // come to rest. A backlog that takes longer is left to the next start.
        let listening = Instant::now() + (deadline - Instant::now()) / 2;
        while !self.outboxes_are_empty() && Instant::now() < listening {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        self.consumers.iter().for_each(ConsumerHandle::close);
        faults::passes(Point::Draining);
        while !self.is_drained() && Instant::now() < deadline {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        let drained = self.is_drained();
        self.root.stop(None);
        let _ = tokio::time::timeout_at(deadline, self.root_ended).await;
        self.brokers.close(deadline).await;
        if let Some(backups) = &self.backups {
            // It breaks off when the process ends, and lets go of the databases then.
            let _ = tokio::time::timeout_at(deadline, backups.ended()).await;
        }
        self.databases.close((deadline - Instant::now()).max(CLOSE_WITHIN)).await;
        if let Some(traces) = self.traces {
            // A thread of its own: it waits for the endpoint.
            let flushed = tokio::task::spawn_blocking(move || traces.shutdown(FLUSH_WITHIN));
            let _ = flushed.await;
        }
        tracing::info!(drained, "stopped");
        drained
    }

    /// True when everything that was said is taken and forgotten.
    fn outboxes_are_empty(&self) -> bool {
        self.backlogs.iter().all(|flow| flow.open() == 0) && self.is_drained()
    }

    /// True when no delivery is being handled and nothing waits to be written.
    fn is_drained(&self) -> bool {
        self.consumers.iter().all(|consumer| consumer.open() == 0)
            && self.journals.iter().all(|health| !health.is_busy())
    }
}

/// What the metrics tell of a process with these settings.
fn facts(config: &Config) -> Facts {
    let (backend, data_dir) = match config.infrastructure {
        Infrastructure::Embedded => ("embedded", Some(config.data_dir.clone())),
        Infrastructure::Servers(_) => ("servers", None),
    };
    Facts { backend, flow: config.order.flow.as_str(), data_dir }
}

/// Records spans where there is an exporter, under the names of the systems below.
fn tracer(traces: Option<Arc<telemetry::Otlp>>, infrastructure: &Infrastructure) -> Tracer {
    let systems = match infrastructure {
        Infrastructure::Embedded => Systems { messaging: "ordermill", database: "sqlite" },
        Infrastructure::Servers(_) => Systems { messaging: "rabbitmq", database: "postgresql" },
    };
    traces.map_or_else(Tracer::default, |traces| Tracer::new(traces, systems))
}

/// Runs something against a server with these settings, but on a temporary data directory, which is
/// removed afterwards.
pub async fn with_temporary<T, F>(
    config: Config,
    work: impl FnOnce(String) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let directory = tempfile::Builder::new()
        .prefix("ordermill-demo-")
        .tempdir()
        .context("a temporary data directory")?;
    let config = Config { data_dir: directory.path().to_owned(), ..config };
    let boot = Arc::new(Boot::new(config.startup_timeout));
    let missing = || boot.missing().unwrap_or_else(|| "the server to start".to_owned());
    let app = waiting::report_waiting(missing, App::start_seen(config, boot.clone())).await?;
    let result = work(app.url()).await;
    waiting::report_waiting(|| "the server to stop".to_owned(), app.stop()).await;
    result
}

#[cfg(test)]
mod tests;
