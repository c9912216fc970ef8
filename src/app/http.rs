//! The HTTP server as a part of the process: supervised, and restarted without losing its address.
//!
//! ```text
//! socket, open as long as the process ─▶ server ─ ended, killed ─▶ the next server on the same socket
//!                                           └▶ takes no more, answers what it has begun, then goes
//! the process ends ─▶ socket closed: who connects is refused, and tries another process
//! ```
//!
//! It listens before there is anything to supervise, so that `/health` answers during the start: the part
//! takes the server over that runs already. Who connects between two servers waits in the socket's own line.

use super::acceptor::Acceptor;
use super::connection::{self, Manners};
use crate::metrics::HttpMetrics;
use anyhow::Context;
use ordermill_actors::runtime::supervisor::ChildSpec;
use ordermill_actors::runtime::tree::Node;
use poem::{Endpoint, Response};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How many connections wait to be taken, at the most (the kernel's `net.core.somaxconn` may say fewer): a
/// crowd that comes at once. One more is not told so, but tries again after a second, as TCP does.
const LINE_MAX: u32 = 4_096;

/// Connections of payment gateways that are open at a time: each notification that may be handled at once
/// (200, `api::Webhooks`), as many that are being sent, and some for probes.
const WEBHOOK_CONNECTIONS_MAX: usize = 450;

/// What is listened on, and for whom.
pub struct Listen {
    /// The setting that says where.
    pub setting: &'static str,
    /// Where; port 0 takes a free one.
    pub address: SocketAddr,
    manners: Manners,
    connections_max: Option<usize>,
    listener: &'static str,
    metrics: HttpMetrics,
}

impl Listen {
    /// For the API's clients.
    pub fn api(address: SocketAddr, metrics: HttpMetrics) -> Self {
        let (setting, listener, manners) = ("ORDERMILL_LISTEN", "api", connection::API);
        Self { setting, address, manners, connections_max: None, listener, metrics }
    }

    /// For payment gateways.
    pub fn webhooks(address: SocketAddr, metrics: HttpMetrics) -> Self {
        let (setting, manners) = ("ORDERMILL_WEBHOOK_LISTEN", connection::WEBHOOKS);
        let connections_max = Some(WEBHOOK_CONNECTIONS_MAX);
        Self { setting, address, manners, connections_max, listener: "webhooks", metrics }
    }
}

/// The address listened on, and the servers on it: one that takes connections, and those that finish.
pub struct Http<E> {
    /// None: the process ends.
    listener: Mutex<Option<std::net::TcpListener>>,
    address: SocketAddr,
    endpoint: Arc<E>,
    manners: Manners,
    places: Option<Arc<Semaphore>>,
    named: (&'static str, HttpMetrics),
    stop: CancellationToken,
    patience: Duration,
    servers: TaskTracker,
    first: Mutex<Option<Serving>>,
}

/// A server that takes connections, until this is dropped.
struct Serving {
    leave: DropGuard,
    server: JoinHandle<std::io::Result<()>>,
}

/// A socket on which connections wait until they are taken.
fn line(listen: SocketAddr, most: u32) -> std::io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a process that is started again has its address at once.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(most)
}

impl<E: Endpoint<Output = Response> + 'static> Http<E> {
    /// Serves an endpoint from now on until `stop`, and then so long what was begun.
    pub async fn open(
        listen: Listen,
        endpoint: E,
        stop: CancellationToken,
        patience: Duration,
    ) -> anyhow::Result<Arc<Self>> {
        let Listen { setting, address, manners, connections_max, listener: name, metrics } = listen;
        let listener = line(address, LINE_MAX)
            .with_context(|| format!("{setting}: cannot listen on {address}"))?;
        let listener = listener.into_std().context("the address listened on")?;
        let address = listener.local_addr().context("the address listened on")?;
        let (listener, first) = (Mutex::new(Some(listener)), Mutex::new(None));
        let http = Arc::new(Self {
            listener,
            address,
            endpoint: Arc::new(endpoint),
            manners,
            places: connections_max.map(|most| Arc::new(Semaphore::new(most))),
            named: (name, metrics),
            stop,
            patience,
            servers: TaskTracker::new(),
            first,
        });
        let serving = http.serve().context("the address listened on")?;
        *http.first.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(serving);
        Ok(http)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The part that keeps a server running.
    pub fn child_spec(self: Arc<Self>, node: Arc<Node>) -> ChildSpec {
        let its = node.clone();
        ChildSpec::new(node, move || HttpServer { http: self.clone(), node: its.clone() })
    }

    /// Listens no more, and waits until every request that was begun is answered, but no longer than this.
    pub async fn ended(&self, deadline: Instant) {
        drop(self.listener().take());
        self.servers.close();
        // Who takes longer is cut off when the process ends.
        let _ = tokio::time::timeout_at(deadline, self.servers.wait()).await;
    }

    fn serve(&self) -> std::io::Result<Serving> {
        let leave = self.stop.child_token();
        let listener = self.listener().as_ref().map(std::net::TcpListener::try_clone);
        let listener = listener.unwrap_or_else(|| Err(ErrorKind::NotConnected.into()))?;
        let acceptor = Acceptor {
            listener: TcpListener::from_std(listener)?,
            endpoint: self.endpoint.clone(),
            manners: self.manners,
            places: self.places.clone(),
            named: self.named.clone(),
            leave: leave.clone(),
            patience: self.patience,
        };
        Ok(Serving { leave: leave.drop_guard(), server: self.servers.spawn(acceptor.run()) })
    }

    fn listener(&self) -> MutexGuard<'_, Option<std::net::TcpListener>> {
        self.listener.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn next(&self) -> std::io::Result<Serving> {
        let first = self.first.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        first.map_or_else(|| self.serve(), Ok)
    }
}

/// Lives as long as its server does, and the other way round.
struct HttpServer<E> {
    http: Arc<Http<E>>,
    node: Arc<Node>,
}

impl<E: Endpoint<Output = Response> + 'static> Actor for HttpServer<E> {
    type Msg = ();
    /// Dropped with the actor, however it ends: its server leaves. None: the process ends already.
    type State = Option<DropGuard>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        if self.http.stop.is_cancelled() {
            return Ok(None);
        }
        let Serving { leave, server } = self.http.next()?;
        let stop = self.http.stop.clone();
        tokio::spawn(async move {
            let why = match server.await {
                Ok(Ok(())) => "the server has ended".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            // Asked to, it ends for good.
            if !stop.is_cancelled() {
                myself.stop(Some(why));
            }
        });
        self.node.running();
        Ok(Some(leave))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn simultaneous_connections_are_queued() {
        let line = line(([127, 0, 0, 1], 0).into(), LINE_MAX).unwrap();
        let address = line.local_addr().unwrap();
        let crowd = (0..500).map(|_| TcpStream::connect(address));
        // Nobody takes them: who does not fit would try again until this is over.
        let all = tokio::time::timeout(Duration::from_secs(10), join_all(crowd)).await;
        assert!(all.expect("there is a place for each").iter().all(Result::is_ok));
    }
}
