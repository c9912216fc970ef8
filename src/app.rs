//! The process: the services wired together, started in one order and ended in another.
//!
//! ```text
//! start: lock the data directory ─▶ migrate ─▶ supervisors ─▶ listen
//! end:   close the door and the streams ─▶ let what was said be heard ─▶ intake ─▶ commit ─▶ stop
//! ```

mod services;
mod world;

pub use services::Services;

use crate::api;
use crate::config::Config;
use crate::smtp::SmtpMessenger;
use anyhow::Context;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::Messenger;
use ordermill_actors::runtime::admission::{Admission, MEASURE_EVERY};
use ordermill_actors::runtime::journal::Gauge;
use ordermill_actors::runtime::relay::Flow;
use ordermill_actors::runtime::stations::{Intake, Process, ROOT};
use ordermill_actors::runtime::supervisor::Msg;
use ordermill_sqlite::DataDir;
use poem::listener::TcpAcceptor;
use ractor::{Actor, ActorRef};
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often the end looks whether everything in flight is committed.
const DRAIN_LOOK: Duration = Duration::from_millis(20);

/// A running process.
pub struct App {
    address: SocketAddr,
    config: Config,
    root: ActorRef<Msg>,
    root_ended: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    stop: CancellationToken,
    admission: Arc<Admission>,
    intakes: Vec<Intake>,
    gauges: Vec<Arc<Gauge>>,
    flows: Vec<Arc<Flow>>,
}

impl App {
    /// Starts everything, and listens.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let data = DataDir::open(&config.data_dir)?;
        let world = world::real();
        let mut process = Process::new(world.clone(), Arc::new(LocalBroker::default()));
        process.tree.part(Some(ROOT), "http", "http").running();
        let email = config.smtp.as_ref().map(SmtpMessenger::new).transpose()?;
        let email = email.map(|messenger| Arc::new(messenger) as Arc<dyn Messenger>);
        let metrics = api::recorder()?;
        let observer = Arc::new(api::SagaMetrics);
        let (services, parts) =
            services::all(&mut process, &data, &config, observer, email).await?;
        let supervisor = process.supervisor(parts);
        let Process { tree, gauges, flows, counted, intakes, .. } = process;
        let admission = Arc::new(Admission::new(gauges.clone(), counted));

        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!("ORDERMILL_LISTEN: {} cannot be listened on", config.listen)
        })?;
        let address = listener.local_addr().context("the address listened on")?;
        let (root, root_ended) =
            Actor::spawn(None, supervisor, ()).await.context("the services")?;

        let stop = CancellationToken::new();
        keep_measuring(admission.clone(), stop.clone());
        let endpoint = api::endpoint(api::Parts {
            services,
            tree,
            admission: admission.clone(),
            metrics,
            world,
            stop: stop.clone(),
        });
        let acceptor = TcpAcceptor::from_tokio(listener).context("the address listened on")?;
        let (stopping, patience) = (stop.clone(), config.shutdown_timeout / 2);
        let server = tokio::spawn(async move {
            poem::Server::new_with_acceptor(acceptor)
                .run_with_graceful_shutdown(
                    endpoint,
                    async move { stopping.cancelled().await },
                    Some(patience),
                )
                .await
        });
        Ok(Self {
            address,
            config,
            root,
            root_ended,
            server,
            stop,
            admission,
            intakes,
            gauges,
            flows,
        })
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a person who started it wants to know.
    pub fn banner(&self) -> String {
        let (url, data) = (self.url(), self.config.data_dir.display());
        format!(
            "Ordermill takes orders at {url}/orders\n\
             \x20 Swagger UI   {url}/docs\n\
             \x20 actor tree   {url}/admin/actors\n\
             \x20 metrics      {url}/metrics\n\
             \x20 data         {data}"
        )
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
            _ = &mut self.root_ended => anyhow::bail!("the services have failed too often; see the log"),
            ended = &mut self.server => {
                ended.context("the HTTP server")?.context("the HTTP server")?;
                anyhow::bail!("the HTTP server has ended");
            }
        }
        tokio::select! {
            biased;
            () = asked_to_stop() => {
                tracing::warn!("asked to stop again: ending at once");
                Ok(ExitCode::FAILURE)
            }
            drained = self.stop() => Ok(if drained { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        }
    }

    /// Ends in good order: true when nothing was left half done in time. What could not be heard any
    /// more is in the outbox, and taken up at the next start.
    pub async fn stop(mut self) -> bool {
        let deadline = Instant::now() + self.config.shutdown_timeout;
        tracing::info!("stopping: no more orders are taken");
        self.admission.close();
        self.stop.cancel();
        // Requests that are being answered end first: they may still hand in changes.
        let _ = tokio::time::timeout_at(deadline, &mut self.server).await;
        // What is committed is heard, and what follows from it too: orders that wait for nobody outside
        // come to rest. A backlog that takes longer is left to the next start.
        let listening = Instant::now() + (deadline - Instant::now()) / 2;
        while !self.is_heard() && Instant::now() < listening {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        self.intakes.iter().for_each(Intake::close);
        while !self.is_drained() && Instant::now() < deadline {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        let drained = self.is_drained();
        self.root.stop(None);
        let _ = tokio::time::timeout_at(deadline, self.root_ended).await;
        tracing::info!(drained, "stopped");
        drained
    }

    /// True when everything that was said is taken and forgotten.
    fn is_heard(&self) -> bool {
        self.flows.iter().all(|flow| flow.open() == 0) && self.is_drained()
    }

    /// True when no delivery is being handled and nothing waits to be written.
    fn is_drained(&self) -> bool {
        self.intakes.iter().all(|intake| intake.open() == 0)
            && self.gauges.iter().all(|gauge| !gauge.is_busy())
    }
}

fn keep_measuring(admission: Arc<Admission>, stop: CancellationToken) {
    tokio::spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(MEASURE_EVERY)).await.is_some() {
            admission.measure();
        }
    });
}

/// Completes when the process is asked to stop: SIGTERM, SIGINT.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                biased;
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        // Without signals it can still be killed: nothing is lost by that.
        Err(_) => std::future::pending().await,
    }
}

/// Runs something against a server on a temporary data directory, which is removed afterwards.
pub async fn with_temporary<T, F>(work: impl FnOnce(String) -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let directory = tempfile::Builder::new()
        .prefix("ordermill-demo-")
        .tempdir()
        .context("a temporary data directory")?;
    let app = App::start(Config::for_testing(directory.path())).await?;
    let result = work(app.url()).await;
    app.stop().await;
    result
}
