//! A connection that can be cut at a chosen moment: a proxy between a store and its server.
//!
//! ```text
//! store ──▶ proxy ──▶ PostgreSQL
//!             └ sees the word it was told to wait for: cuts before it, or after it
//! ```

use sqlx::postgres::PgConnectOptions;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Where the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never hears what holds the word.
    Before,
    /// The server hears it and does it; its answer never comes.
    After,
}

type Plan = Arc<Mutex<Option<(&'static [u8], Cut)>>>;

/// The proxy. It ends with the runtime of its test.
pub struct Proxy {
    pub address: SocketAddr,
    plan: Plan,
}

impl Proxy {
    /// A proxy to where these options lead.
    pub async fn new(options: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Plan::default();
        let target = (options.get_host().to_owned(), options.get_port());
        let planned = plan.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(target.clone()).await.unwrap();
                tokio::spawn(join(client, server, planned.clone()));
            }
        });
        Self { address, plan }
    }

    /// Cuts the first connection on which a store says this; once.
    pub fn cut(&self, word: &'static str, cut: Cut) {
        *self.plan.lock().unwrap() = Some((word.as_bytes(), cut));
    }

    /// True when what was planned has happened.
    pub fn has_cut(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }
}

async fn join(client: TcpStream, server: TcpStream, plan: Plan) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let cut = Arc::new(tokio::sync::Notify::new());
    let back = tokio::spawn(bring_back(from_server, to_client, cut.clone()));
    if ask(from_client, to_server, &plan, &cut).await {
        let _ = back.await;
    }
}

/// True when it was cut.
async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: &Plan,
    cut: &tokio::sync::Notify,
) -> bool {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let size = from.read(&mut buffer).await.unwrap_or(0);
        if size == 0 {
            return false;
        }
        let said = &buffer[..size];
        let planned = plan.lock().unwrap().take_if(|(word, _)| holds(said, word));
        let Some((_, how)) = planned else {
            if to.write_all(said).await.is_err() {
                return false;
            }
            continue;
        };
        cut.notify_one();
        if how == Cut::After {
            let _ = to.write_all(said).await;
        }
        return true;
    }
}

async fn bring_back(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    cut: Arc<tokio::sync::Notify>,
) {
    tokio::select! {
        biased;
        () = cut.notified() => {}
        _ = tokio::io::copy(&mut from, &mut to) => {}
    }
    // To the store the connection is gone at once. What the server still says is read to its end, so
    // that it is not disturbed in what it does.
    let _ = to.shutdown().await;
    drop(to);
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
}

fn holds(said: &[u8], word: &[u8]) -> bool {
    said.windows(word.len()).any(|part| part == word)
}
