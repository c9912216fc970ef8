//! What makes no progress is closed, what does lives on: over HTTP/1.1, and over HTTP/2 written by hand.

use super::*;
use crate::app::acceptor::Acceptor;
use crate::metrics::HttpMetrics;
use futures::stream::unfold;
use poem::{Body, EndpointExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const IDLE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(20);

/// Parts of the answer at `/words`, each after a third of the time that may pass idly.
const WORDS: u32 = 6;

/// Frames of HTTP/2 (RFC 9113 section 6), and an error.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const REFUSED_STREAM: u32 = 7;

/// Reads the body; then streams words, never answers, or answers with much.
#[poem::handler]
async fn answer(path: &http::Uri, body: Vec<u8>) -> Body {
    drop(body);
    match path.path() {
        "/never" => std::future::pending().await,
        "/much" => Body::from_vec(vec![b'x'; 4 * PART_BYTES]),
        _ => Body::from_bytes_stream(unfold(0, |said| async move {
            tokio::time::sleep(IDLE / 3).await;
            (said < WORDS).then(|| (Ok::<_, io::Error>("word ".to_owned()), said + 1))
        })),
    }
}

/// A server; it ends with the guard.
async fn server() -> (std::net::SocketAddr, tokio_util::sync::DropGuard) {
    server_with(Manners { idle: IDLE, ..API }, None).await
}

/// A server with these manners and places.
async fn server_with(
    manners: Manners,
    places: Option<Arc<Semaphore>>,
) -> (std::net::SocketAddr, tokio_util::sync::DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let leave = CancellationToken::new();
    let endpoint = Arc::new(answer.map_to_response());
    let acceptor = Acceptor {
        listener,
        endpoint,
        manners,
        places,
        leave: leave.clone(),
        patience: IDLE,
        named: ("api", HttpMetrics::default()),
    };
    tokio::spawn(acceptor.run());
    (address, leave.drop_guard())
}

/// A client of HTTP/2.
struct Client(TcpStream);

struct Received {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Client {
    /// Connects with these settings.
    async fn open(address: std::net::SocketAddr, settings: &[u8]) -> Self {
        let mut client = Self(TcpStream::connect(address).await.unwrap());
        client.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        client.send(SETTINGS, 0, 0, settings).await.unwrap();
        client
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await
    }

    /// A whole GET: END_STREAM and END_HEADERS.
    async fn get(&mut self, stream: u32, path: &str) {
        let mut head = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
        head.extend(path.as_bytes());
        head.extend(b"\x01\x09localhost");
        self.send(HEADERS, 0x5, stream, &head).await.unwrap();
    }

    /// None: the server has closed the connection.
    async fn receive(&mut self) -> Option<Received> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Received { kind: head[3], flags: head[4], stream, payload })
    }

    /// Sends a PING every third of the time that may pass idly, and reads, until the server closes the
    /// connection. Gives the kinds of what came.
    async fn pings_until_closed(mut self) -> Vec<u8> {
        let mut kinds = Vec::new();
        let pinging = async {
            loop {
                match timeout(IDLE / 3, self.receive()).await {
                    Ok(Some(received)) => kinds.push(received.kind),
                    Ok(None) => return,
                    Err(_) if self.send(PING, 0, 0, b"liveness").await.is_err() => return,
                    Err(_) => {}
                }
            }
        };
        timeout(PATIENCE, pinging).await.expect("the connection is closed");
        kinds
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_without_progress_is_closed_and_a_stream_lives_on() {
    let (address, _server) = server().await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
    for sent in ["", "POST / HT", head, &format!("{head}\r\nhalf")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let closed = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        assert!(closed.is_ok(), "after {sent:?} it stays open");
    }
    let mut drip = TcpStream::connect(address).await.unwrap();
    let dripping = async {
        while drip.write_all(b"x").await.is_ok() {
            tokio::time::sleep(IDLE / 3).await;
        }
    };
    assert!(timeout(PATIENCE, dripping).await.is_ok(), "one that drips stays open");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(whole.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said.matches("word").count(), WORDS as usize, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_that_is_used_now_and_then_lives_on() {
    let (address, _server) = server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for pause in [Duration::ZERO, IDLE * 2 / 3, IDLE * 2 / 3] {
        // Idle for a while, then a head in two parts: together longer than a connection may be idle.
        tokio::time::sleep(pause).await;
        stream.write_all(b"GET /words HTT").await.unwrap();
        tokio::time::sleep(pause).await;
        stream.write_all(b"P/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"0\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0, "it is closed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_with_nothing_but_pings_is_closed() {
    let (address, _server) = server().await;
    let never_used = Client::open(address, &[]).await;
    let kinds = never_used.pings_until_closed().await;
    assert!(kinds.contains(&PING) && kinds.contains(&GOAWAY), "{kinds:?}");

    let mut used = Client::open(address, &[]).await;
    used.get(1, "/words").await;
    let kinds = used.pings_until_closed().await;
    assert_eq!(kinds.iter().filter(|kind| **kind == DATA).count(), WORDS as usize + 1, "{kinds:?}");

    // SETTINGS_INITIAL_WINDOW_SIZE 0: nothing of the answer's body may be sent.
    let mut reads_nothing = Client::open(address, &[0, 4, 0, 0, 0, 0]).await;
    reads_nothing.get(1, "/much").await;
    let kinds = reads_nothing.pings_until_closed().await;
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&DATA), "{kinds:?}");

    // Half a head: HEADERS without END_HEADERS.
    let mut half = Client::open(address, &[]).await;
    half.send(HEADERS, 0, 1, &[0x82, 0x86]).await.unwrap();
    let closed = timeout(PATIENCE, async { while half.receive().await.is_some() {} }).await;
    assert!(closed.is_ok(), "half a head stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_takes_100_streams_and_says_so() {
    let (address, _server) = server().await;
    let mut client = Client::open(address, &[]).await;
    for stream in 0..101 {
        client.get(2 * stream + 1, "/never").await;
    }
    let (mut announced, mut refused) = (None, None);
    while refused.is_none() {
        let received = timeout(PATIENCE, client.receive()).await.unwrap().expect("it stays open");
        let number =
            |at: usize| u32::from_be_bytes(received.payload[at..at + 4].try_into().unwrap());
        match received.kind {
            SETTINGS if received.flags == 0 => {
                // SETTINGS_MAX_CONCURRENT_STREAMS
                let at = received.payload.chunks(6).position(|setting| setting[..2] == [0, 3]);
                announced = at.map(|at| number(6 * at + 2));
            }
            RST_STREAM => refused = Some((received.stream, number(0))),
            _ => {}
        }
    }
    assert_eq!(announced, Some(100));
    assert_eq!(refused, Some((201, REFUSED_STREAM)));
}

/// Of webhooks, in less time.
const SLOW: Manners =
    Manners { idle: Duration::from_secs(2), http_1_head_within: Some(Duration::from_millis(200)) };

/// Reads until the server closes the connection; panics when it does not.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut text)).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut() {
    let (address, _guard) = server_with(SLOW, None).await;
    for head in ["", "GET /words HTTP/1.1\r\nHost: localhost\r\n"] {
        let started = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(!read_all(&mut stream).await.contains("200 OK"));
        assert!(started.elapsed() < SLOW.idle, "{head:?} after {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn webhooks_are_http_1_only() {
    let (address, _guard) = server_with(SLOW, None).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let text = read_all(&mut stream).await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
}

#[tokio::test]
async fn one_connection_too_many_waits_for_a_place() {
    let manners = Manners { idle: PATIENCE, http_1_head_within: Some(PATIENCE) };
    let (address, _guard) = server_with(manners, Some(Arc::new(Semaphore::new(1)))).await;
    let first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    let early = timeout(IDLE, second.read_exact(&mut byte)).await;
    assert!(early.is_err(), "there is one place");
    drop(first);
    timeout(PATIENCE, second.read_exact(&mut byte)).await.unwrap().unwrap();
}
