//! One connection: HTTP/1.1 or HTTP/2, closed when it makes no progress.
//!
//! | counts as progress                                   | does not                                  |
//! |------------------------------------------------------|-------------------------------------------|
//! | a request's head is complete                         | PING, SETTINGS, WINDOW_UPDATE, empty DATA |
//! | HTTP/1: the first bytes of a request after an answer | each further byte of a request            |
//! | HTTP/1: bytes of an answer are written               | half a head, half a body                  |
//! | HTTP/2: a part of an answer's body is taken to be sent |                                         |
//!
//! So a request has to be complete in time, and its answer has to be read. Reading and writing alone would not
//! do for HTTP/2: every PING of the client is read and answered.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::http::uri::Scheme;
use poem::http::{self, Version};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A connection that makes no progress for so long is closed. Streams say something every 15 seconds, and no
/// other answer takes a minute.
pub const IDLE_MAX: Duration = Duration::from_secs(60);

/// How long a connection that is closed for being idle has to take leave: HTTP/2 names the last request it
/// has answered.
const LEAVE_TAKING: Duration = Duration::from_secs(1);

/// Requests that one HTTP/2 connection may have open at a time: what browsers open, and what RFC 9113
/// (section 6.5.2) recommends as the least.
const STREAMS_MAX: u32 = 100;

/// Streams that an HTTP/2 client may have reset before they were looked at (rapid reset, CVE-2023-44487).
const RESETS_MAX: usize = 20;

/// Bytes of an HTTP/2 request's head, decoded.
const HEAD_BYTES_MAX: u32 = 16 * 1024;

/// Bytes that an HTTP/1 connection buffers, and so of a request's head.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an HTTP/2 answer that are handed out at a time: a slow reader shows progress with each part.
const PART_BYTES: usize = 16 * 1024;

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// One that makes no progress for so long is closed.
    pub idle: Duration,
    /// Some: HTTP/1.1 only, and the head of a request must be complete so long after its beginning.
    pub http_1_head_within: Option<Duration>,
}

/// Of the API's clients.
pub const API: Manners = Manners { idle: IDLE_MAX, http_1_head_within: None };

/// Of payment gateways, on a listener that faces the internet: none needs HTTP/2, and a slow client is cut. The body
/// and the answer have 5 seconds each (`api::Webhooks`), which is progress only when it is over.
pub const WEBHOOKS: Manners =
    Manners { idle: Duration::from_secs(12), http_1_head_within: Some(Duration::from_secs(5)) };

/// Both ends of a connection.
pub struct Peers {
    /// This server's.
    pub local: LocalAddr,
    /// The client's.
    pub remote: RemoteAddr,
}

/// Serves a connection until it ends, makes no progress in time, or has finished what it had begun when `finish`
/// was cancelled.
pub async fn serve<T, E>(
    io: T,
    peers: Peers,
    endpoint: Arc<E>,
    manners: Manners,
    finish: CancellationToken,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let progress = Arc::new(Progress::new());
    let service = service_fn(|request| {
        let version = request.version();
        progress.request(version);
        let of_request = (request, peers.local.clone(), peers.remote.clone(), Scheme::HTTP);
        let (endpoint, progress) = (endpoint.clone(), progress.clone());
        async move {
            let response = endpoint.get_response(of_request.into()).await;
            Ok::<_, Infallible>(parted(response, (version == Version::HTTP_2).then_some(progress)))
        }
    });
    let Manners { idle, http_1_head_within } = manners;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if let Some(within) = http_1_head_within {
        builder = builder.http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(within);
    }
    builder.http1().max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX);
    let io = TokioIo::new(Observed { io, progress: progress.clone() });
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut finishing = false;
    loop {
        let deadline = progress.last() + idle;
        tokio::select! {
            _ = connection.as_mut() => return,
            () = finish.cancelled(), if !finishing => {
                connection.as_mut().graceful_shutdown();
                finishing = true;
            }
            () = tokio::time::sleep_until(deadline) => if progress.last() + idle <= deadline { break },
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LEAVE_TAKING, connection).await;
}

/// When a connection has last made progress.
struct Progress {
    opened: Instant,
    /// Milliseconds after `opened`.
    last_ms: AtomicU64,
    /// Of the last request; nothing is known before the first.
    version: AtomicU8,
    /// HTTP/1: the next byte that is read begins a request.
    is_answered: AtomicBool,
}

/// [`Progress::version`].
const UNKNOWN: u8 = 0;
const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;

impl Progress {
    fn new() -> Self {
        Self {
            opened: Instant::now(),
            last_ms: AtomicU64::new(0),
            version: AtomicU8::new(UNKNOWN),
            is_answered: AtomicBool::new(false),
        }
    }

    fn last(&self) -> Instant {
        self.opened + Duration::from_millis(self.last_ms.load(Relaxed))
    }

    fn made(&self) {
        let since = self.opened.elapsed().as_millis();
        self.last_ms.store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
    }

    fn request(&self, version: Version) {
        let version = if version == Version::HTTP_2 { HTTP_2 } else { HTTP_1 };
        self.version.store(version, Relaxed);
        self.made();
    }

    fn read(&self) {
        if self.is_answered.swap(false, Relaxed) {
            self.made();
        }
    }

    fn written(&self) {
        if self.version.load(Relaxed) == HTTP_1 {
            self.is_answered.store(true, Relaxed);
            self.made();
        }
    }
}

/// A socket whose movements are noted.
struct Observed<T> {
    io: T,
    progress: Arc<Progress>,
}

impl<T> Observed<T> {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.progress.written();
        }
        written
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Observed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, into);
        if polled.is_ready() {
            self.progress.read();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Observed<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, from);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, from);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// An answer whose parts are noted as they are taken, where `progress` is given.
fn parted(
    response: Response,
    progress: Option<Arc<Progress>>,
) -> http::Response<impl Body<Data = Bytes, Error = io::Error>> {
    http::Response::from(response).map(|inner| Parted { inner, rest: Bytes::new(), progress })
}

struct Parted<B> {
    inner: B,
    /// Of the last frame, what is still to be handed out.
    rest: Bytes,
    progress: Option<Arc<Progress>>,
}

impl<B: Body<Data = Bytes, Error = io::Error> + Unpin> Body for Parted<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let Some(progress) = &this.progress else {
            return Pin::new(&mut this.inner).poll_frame(cx);
        };
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        progress.made();
        let length = this.rest.len().min(PART_BYTES);
        Poll::Ready(Some(Ok(Frame::data(this.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(inner.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests;
