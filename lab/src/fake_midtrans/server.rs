//! The HTTP server: takes connections, and hands requests to the state.

use super::by_hand;
use super::response::{Response, response};
use super::shared::Shared;
use super::state::{Reaction, Request, Target};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Bytes of a body that are read at most: more than the API takes, so that its own error can be answered.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct Closed;

/// A running server. It stops when it is dropped.
pub(super) struct Server(JoinHandle<()>);

impl Server {
    /// Takes a port.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    /// Serves from now on.
    pub(super) fn start(listener: TcpListener, shared: Arc<Shared>) -> Self {
        Self(tokio::spawn(accept(listener, shared)))
    }

    /// Closes the port and every connection.
    pub(super) async fn stop(mut self) {
        self.0.abort();
        // It ends by being aborted: nothing else comes of it.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, shared.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one request. A connection is not kept: no client may take a scripted reset for a stale connection, and
/// repeat the request by itself.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| respond(request, shared.clone()));
    let mut builder = http1::Builder::new();
    builder.keep_alive(false);
    // A connection that fails is what some faults are made of.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response, Closed> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Closed)?.to_bytes();
    let Some(target) = Target::of(head.method.as_str(), head.uri.path()) else {
        return Ok(by_hand::respond(&shared, &head));
    };
    let header = |name| {
        let value = head.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let request = Request {
        target,
        authorization: header(AUTHORIZATION.as_str()),
        idempotency_key: header("idempotency-key"),
        body: body.to_vec(),
    };
    let key = request.idempotency_key.clone();
    // Taken before the state changes: whoever sees the change may release at once.
    let released = shared.released.notified();
    let reaction = {
        let now = shared.clock.now();
        shared.state().react(now, request)
    };
    let answer = match reaction {
        Reaction::Close => return Err(Closed),
        Reaction::Answer(answer) => return Ok(response(answer)),
        Reaction::AnswerAfter(time, answer) => {
            tokio::time::sleep(time).await;
            answer
        }
        Reaction::Hang(answer) => {
            released.await;
            answer
        }
    };
    shared.state().answered(key.as_deref());
    Ok(response(answer))
}
