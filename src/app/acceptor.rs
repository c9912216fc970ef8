//! Accepts connections and serves each in a task of its own, until told to leave.
//!
//! ```text
//! socket ─accept─▶ connection ─▶ its task (`connection`)
//!    ├ no descriptor left ─▶ one line in the log, a pause, and again
//!    └ `leave` ─▶ none is accepted any more: the next server on the socket takes them, if there is one
//!         └ after FIRST_REQUEST ─▶ open connections finish what they have begun, within `patience`
//! ```

use super::connection::{self, Manners, Peers};
use crate::metrics::HttpMetrics;
use poem::Endpoint;
use poem::Response;
use poem::web::{LocalAddr, RemoteAddr};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a server that leaves still waits for the first request on a connection it has accepted: HTTP/1
/// has no way to say that the request must be sent elsewhere.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// Pause after a connection could not be accepted: descriptors are freed when other connections end.
const PAUSE: Duration = Duration::from_millis(100);

/// A failure to accept is logged this often at the most.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Accepts connections of one socket, and serves them.
pub struct Acceptor<E> {
    /// The socket.
    pub listener: TcpListener,
    /// What answers requests.
    pub endpoint: Arc<E>,
    /// What a connection may do.
    pub manners: Manners,
    /// A place for each open connection; one more waits in the socket's own line. None: as many as there are
    /// descriptors.
    pub places: Option<Arc<Semaphore>>,
    /// The listener's name in metrics, and where its connections are counted.
    pub named: (&'static str, HttpMetrics),
    /// Accepts no more once this is cancelled.
    pub leave: CancellationToken,
    /// How long connections may take to finish then; what is left is cut off.
    pub patience: Duration,
}

impl<E: Endpoint<Output = Response> + 'static> Acceptor<E> {
    /// Serves until `leave` is cancelled and every connection has ended.
    pub async fn run(self) -> io::Result<()> {
        let local = LocalAddr(self.listener.local_addr()?.into());
        let (finish, cut) = (CancellationToken::new(), CancellationToken::new());
        let connections = TaskTracker::new();
        let mut logged = None;
        while let Some((place, accepted)) = self.leave.run_until_cancelled(self.accept()).await {
            match accepted {
                Ok((stream, remote)) => {
                    let peers = Peers { local: local.clone(), remote: RemoteAddr(remote.into()) };
                    let served = self.serve(stream, peers, finish.clone());
                    let cut = cut.clone();
                    let (name, metrics) = &self.named;
                    let open = metrics.connected(name);
                    connections.spawn(async move {
                        let _until_it_ends = (place, open);
                        cut.run_until_cancelled(served).await
                    });
                }
                Err(error) => {
                    log(&mut logged, &error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.listener);
        tokio::time::sleep(FIRST_REQUEST).await;
        finish.cancel();
        connections.close();
        let _ = tokio::time::timeout(self.patience, connections.wait()).await;
        cut.cancel();
        Ok(())
    }

    /// The next connection, with its place.
    async fn accept(&self) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
        let place = match self.places.clone() {
            // It is never closed: `None` would be no limit.
            Some(places) => places.acquire_owned().await.ok(),
            None => None,
        };
        (place, self.listener.accept().await)
    }

    fn serve(
        &self,
        stream: TcpStream,
        peers: Peers,
        finish: CancellationToken,
    ) -> impl Future<Output = ()> + use<E> {
        // Answers go out at once; a connection that refuses the option works all the same.
        let _ = stream.set_nodelay(true);
        connection::serve(stream, peers, self.endpoint.clone(), self.manners, finish)
    }
}

/// Many failures are one line.
fn log(logged: &mut Option<Instant>, error: &io::Error) {
    if logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
        *logged = Some(Instant::now());
        tracing::warn!(service = "http", %error, "accepting a connection failed");
    }
}
