//! Who is let in, and for how long: a connection on which nothing moves is closed.
//!
//! ```text
//! socket ─accept─▶ connection ─▶ server
//!    │                ├ nothing moves for `idle` ─▶ closed: a half head, a half body, silence
//!    │                └ a request takes as long to come ─▶ closed: one that drips
//!    ├ no descriptor left ─▶ one line in the log, a pause, and again
//!    └ `leave` ─▶ no more are taken; they wait in the socket's own line for the next server, if there is one
//! ```
//!
//! The server of poem knows idle connections, too, but asks them to end: one that waits for the rest of
//! its head does not.

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// A connection on which nothing moves for so long is closed, and one whose request, from its first byte on,
/// is not answered by then. Streams say something every 15 seconds, and no other answer takes a minute.
pub const IDLE_MAX: Duration = Duration::from_secs(60);

/// Pause after a connection could not be taken: descriptors come back when others end.
const PAUSE: Duration = Duration::from_millis(100);

/// That no connection can be taken is said this often at the most.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Takes connections.
pub struct Doorkeeper {
    /// None: it has left.
    listener: Option<TcpListener>,
    address: LocalAddr,
    idle: Duration,
    leave: CancellationToken,
    said: Option<Instant>,
}

impl Doorkeeper {
    /// Takes this socket's connections until `leave`; closes those that are idle for so long.
    pub fn new(
        listener: std::net::TcpListener,
        idle: Duration,
        leave: CancellationToken,
    ) -> io::Result<Self> {
        let address = LocalAddr(listener.local_addr()?.into());
        let listener = Some(TcpListener::from_std(listener)?);
        Ok(Self { listener, address, idle, leave, said: None })
    }

    /// A flood of failures is one line.
    fn say(&mut self, error: &io::Error) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(service = "http", %error, "connections cannot be taken");
        }
    }
}

impl Acceptor for Doorkeeper {
    type Io = Moving<TcpStream>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.address.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            let Some(listener) = &self.listener else { return pending().await };
            let taken = tokio::select! {
                biased;
                () = self.leave.cancelled() => {
                    self.listener = None;
                    continue;
                }
                taken = listener.accept() => taken,
            };
            match taken {
                Ok((stream, remote)) => {
                    // Answers go at once; a connection that cannot be told so works all the same.
                    let _ = stream.set_nodelay(true);
                    let io = Moving::new(stream, self.idle);
                    return Ok((io, self.address.clone(), RemoteAddr(remote.into()), Scheme::HTTP));
                }
                Err(error) => {
                    self.say(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A connection that fails when nothing has moved on it for too long, or a request has been coming for as
/// long.
pub struct Moving<T> {
    io: T,
    idle: Duration,
    /// Since when a request has been coming that no byte of an answer has followed.
    asked: Option<Instant>,
    too_long: Pin<Box<Sleep>>,
}

impl<T> Moving<T> {
    fn new(io: T, idle: Duration) -> Self {
        let asked = Some(Instant::now());
        Self { io, idle, asked, too_long: Box::pin(tokio::time::sleep(idle)) }
    }

    fn answers(&mut self, written: &Poll<io::Result<usize>>) {
        if written.is_ready() {
            self.asked = None;
        }
    }

    fn watch<R>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            let until = self.asked.unwrap_or_else(Instant::now) + self.idle;
            self.too_long.as_mut().reset(until);
            return polled;
        }
        self.too_long.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Moving<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, into);
        if polled.is_ready() {
            self.asked.get_or_insert_with(Instant::now);
        }
        self.watch(cx, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Moving<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, from);
        self.answers(&polled);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, from);
        self.answers(&polled);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// Nothing moves by it: the server flushes whenever it looks.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream::unfold;
    use poem::endpoint::make;
    use poem::{Body, Request, Server};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const IDLE: Duration = Duration::from_millis(300);
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Reads the body, then streams a word every third of the time that may pass idly, six times.
    async fn answer(mut request: Request) -> poem::Result<Body> {
        request.take_body().into_bytes().await?;
        Ok(Body::from_bytes_stream(unfold(0, |said| async move {
            tokio::time::sleep(IDLE / 3).await;
            (said < 6).then(|| (Ok::<_, io::Error>("word ".to_owned()), said + 1))
        })))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_does_not_move_is_closed_and_what_does_lives_on() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let door = Doorkeeper::new(listener, IDLE, CancellationToken::new()).unwrap();
        let server = tokio::spawn(Server::new_with_acceptor(door).run(make(answer)));
        let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
        for sent in ["", "POST / HT", head, &format!("{head}\r\nhalf")] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut said = Vec::new();
            let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
            assert!(closed.is_ok(), "after {sent:?} it stays open");
        }
        let mut drip = TcpStream::connect(address).await.unwrap();
        let dripping = async {
            while drip.write_all(b"x").await.is_ok() {
                tokio::time::sleep(IDLE / 3).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, dripping).await.is_ok(),
            "one that drips stays open"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        let whole = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(whole.as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said.matches("word").count(), 6, "{said}");
        server.abort();
    }
}
