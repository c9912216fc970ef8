//! The process: the services wired together, started in one order and ended in another.
//!
//! ```text
//! start: data directory ─▶ listen ─▶ open and migrate databases ─▶ connect and declare ─▶
//!        supervisors ─▶ serve
//! end:   close admission and the streams ─▶ let what was said be heard ─▶ consumers ─▶ commit ─▶ stop ─▶ close files
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
mod services;
pub mod world;

pub use boot::{Boot, NotAvailable};
pub(crate) use open_stores::open_stores;
pub use services::{ServiceNotLocal, Services};

use crate::access::{Keys, NoCredentials};
use crate::backup::Backups;
use crate::check::{self, System, SystemState};
use crate::config::{Config, ConfigError, Infrastructure};
use crate::sms::LogSms;
use crate::smtp::SmtpMessenger;
use crate::stop_signal::asked_to_stop;
use crate::{api, simulated_pages, telemetry, waiting};
use anyhow::Context;
use async_trait::async_trait;
use brokers::Brokers;
use databases::Databases;
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
use ordermill_domain::clock::World;
use ordermill_domain::ids::ServiceName;
use ractor::{Actor, ActorRef};
use services::{Notifiers, Outside};
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Level;

/// How often the end looks whether everything in flight is committed.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// The least time that the databases have to be closed in, however long all else took: it copies up to
/// 64 MiB of log a file.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

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

/// A running process.
pub struct App {
    address: SocketAddr,
    config: Config,
    root: ActorRef<Msg>,
    root_ended: JoinHandle<()>,
    http: Arc<Http<api::StartupGate>>,
    webhook_http: Option<Arc<Http<api::WebhookListener>>>,
    stop: CancellationToken,
    admission: Arc<Admission>,
    brokers: Brokers,
    databases: Databases,
    backups: Option<Backups>,
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
        keys.refresh().await;
        if keys.lacks_credentials() {
            return Err(ConfigError::from(NoCredentials(config.listen)).into());
        }
        let databases = Databases::new(&config, world::owner())?;
        let stop = CancellationToken::new();
        keys.keep_reading(stop.clone());
        let (hosts, gate_keys) = (config.hosts.clone(), keys.clone());
        let startup_gate = api::StartupGate::new(boot.clone(), world.clone(), hosts, gate_keys);
        // Where the start fails, the server goes with everything else.
        let unless_started = stop.clone().drop_guard();
        let listeners = Listeners::open(&config, startup_gate, &world, &stop).await?;
        let app = Self::start_serving(
            config,
            databases,
            world,
            &boot,
            stop,
            listeners,
            keys,
            payment_requests,
        )
        .await?;
        unless_started.disarm();
        Ok(app)
    }

    async fn start_serving(
        config: Config,
        databases: Databases,
        world: World,
        boot: &Boot,
        stop: CancellationToken,
        listeners: Listeners,
        keys: Arc<Keys>,
        payment_requests: Option<Arc<dyn PaymentRequests>>,
    ) -> anyhow::Result<Self> {
        let Listeners { startup_gate, http, webhooks, webhook_http } = listeners;
        let address = http.address();
        let email = config.smtp.as_ref().map(SmtpMessenger::new).transpose()?;
        let notifiers = Notifiers {
            observer: Arc::new(api::SagaMetrics),
            messengers: Messengers {
                email: email.map(|messenger| Arc::new(messenger) as Arc<dyn Messenger>),
                sms: config.sms.then(|| Arc::new(LogSms) as Arc<dyn Messenger>),
            },
        };
        let metrics = api::recorder()?;
        let alone = config.infrastructure == Infrastructure::Embedded;
        let opened = async {
            let are_mixed = databases.are_mixed(config.accepts_mixed_files).await?;
            let stores = databases.open(&config, boot).await?;
            if are_mixed {
                databases.accept_mixed().await?;
            }
            anyhow::Ok(stores)
        };
        let stores = match opened.await {
            Ok(stores) => stores,
            Err(error) => {
                databases.close(CLOSE_WITHIN).await;
                return Err(error);
            }
        };
        let brokers = Brokers::open(&config, boot, stores.identities()).await?;
        let backups = databases.backups(&world, &stop);

        let mut process = Process::new(world.clone(), brokers.broker.clone());
        process.rpc = Some(brokers.rpc.clone());
        let gateway_health = Arc::new(GatewayHealth::default());
        let outside = Outside {
            gateways: gateways::gateways(&config.gateways, &world, gateway_health.clone())?,
            readers: gateways::readers(&config.gateways),
            pages_url: simulated_pages::base_url(address),
        };
        let (services, mut parts) =
            services::wire(&mut process, stores, &config, notifiers, outside, alone);
        let payment_requests =
            payment_requests.unwrap_or_else(|| services.payment_requests(&brokers.rpc));
        let admission = Arc::new(Admission::new(process.journals.clone(), process.lag.clone()));
        let sources = services.sources().clone();
        let system: Arc<dyn System> = Arc::new(ProcessState {
            world: world.clone(),
            admission: admission.clone(),
            lag: process.lag.clone(),
        });
        webhooks.open(payment_requests.clone());
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
            consumers: process.consumers.clone(),
            backups: backups.clone(),
            metrics,
            world,
            stop: stop.clone(),
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
            admission,
            brokers,
            databases,
            backups,
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
        let services: Vec<_> = self.config.services.iter().map(|name| name.as_str()).collect();
        let services = services.join(", ");
        let does = match self.config.services.contains(&ServiceName::Order) {
            true => format!("takes orders at {url}/orders"),
            false => format!("runs {services} at {url}"),
        };
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

    /// Runs until it is asked to stop, then ends in good order. A second wish to stop, or the end of
    /// the services, ends it at once.
    pub async fn run_until(
        mut self,
        asked: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<ExitCode> {
        tokio::select! {
            biased;
            () = asked => {}
            _ = &mut self.root_ended => {
                tracing::error!("a service exceeded its restart limit; the process exits and must be restarted");
                anyhow::bail!("a service exceeded its restart limit; see the log");
            }
            () = self.brokers.failed() => {
                tracing::error!("RabbitMQ connection task failed; the process exits and must be restarted");
                anyhow::bail!("RabbitMQ connection task failed; see the log");
            }
        }
        tokio::select! {
            biased;
            () = asked_to_stop() => {
                tracing::warn!("second stop signal: exiting at once");
                Ok(ExitCode::FAILURE)
            }
            drained = self.stop() => Ok(if drained { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
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
