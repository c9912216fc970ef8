//! A wire between a system and a server, which breaks at a chosen word.
//!
//! ```text
//! ordermill ──▶ wire ──▶ PostgreSQL   breaks before COMMIT, which is never heard, or after it: nobody learns
//! ordermill ◀── wire ◀── RabbitMQ     breaks before a publisher's confirm, which nobody learns
//! ```

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// As `Query` of PostgreSQL's protocol carries it.
const COMMIT: &[u8] = b"COMMIT\0";
/// The size of a `basic.ack`, its class and its method: RabbitMQ says it to those who publish only.
const CONFIRM: &[u8] = &[0, 0, 0, 13, 0, 60, 0, 80];
/// What stands before them in a frame: its type and its channel.
const FRAME_HEAD: usize = 3;
/// For so long a server is listened to after the cut: it is not disturbed in what it was told to do.
const LINGERS: Duration = Duration::from_secs(1);

/// Where it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// The database never hears it.
    BeforeCommit,
    /// The database does it, and its answer never comes.
    AfterCommit,
    /// The broker has the message, and its confirm never comes.
    Confirm,
}

/// Where it breaks next, and how many such words pass before.
type Plan = Arc<Mutex<Option<(Cut, u64)>>>;

/// A wire. It is there as long as the runtime that made it.
pub struct Wire {
    address: SocketAddr,
    plan: Plan,
}

impl Wire {
    /// A wire to the server that a URL names.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = reqwest::Url::parse(server).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let plan = Plan::default();
        let planned = plan.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (target, plan) = (target.clone(), planned.clone());
                tokio::spawn(async move {
                    // A server that is away: the caller's connection ends at once.
                    if let Ok(far) = TcpStream::connect(target).await {
                        join(near, far, plan).await;
                    }
                });
            }
        });
        Self { address, plan }
    }

    /// The same URL, by this wire.
    pub fn url(&self, server: &str) -> String {
        let mut url = reqwest::Url::parse(server).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    /// Breaks the connection that comes to this after so many others have; once.
    pub fn cut(&self, cut: Cut, after: u64) {
        *self.plan.lock().unwrap() = Some((cut, after));
    }

    /// True when it has broken as it was told to.
    pub fn has_cut(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }
}

async fn join(near: TcpStream, far: TcpStream, plan: Plan) {
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let there = tokio::spawn(to_server(from_near, to_far, plan.clone()));
    let (there_ends, back_ends) =
        (there.abort_handle(), tokio::spawn(to_client(from_far, to_near, plan)));
    let back_aborts = back_ends.abort_handle();
    tokio::select! {
        kept = there => {
            back_aborts.abort();
            if let Ok(Some(kept)) = kept {
                tokio::time::sleep(LINGERS).await;
                drop(kept);
            }
        }
        _ = back_ends => there_ends.abort(),
    }
}

/// Passes on what the client says. What it returns is kept open for a while.
async fn to_server(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: Plan,
) -> Option<OwnedWriteHalf> {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size @ 1..) = from.read(&mut buffer).await {
        let said = &buffer[..size];
        match due(&plan, said, COMMIT, &[Cut::BeforeCommit, Cut::AfterCommit]) {
            Some((Cut::AfterCommit, _)) => {
                to.write_all(said).await.ok()?;
                return Some(to);
            }
            Some(_) => return None,
            None => to.write_all(said).await.ok()?,
        }
    }
    None
}

async fn to_client(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, plan: Plan) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size @ 1..) = from.read(&mut buffer).await {
        let said = &buffer[..size];
        if let Some((_, at)) = due(&plan, said, CONFIRM, &[Cut::Confirm]) {
            let _ = to.write_all(&said[..at.saturating_sub(FRAME_HEAD)]).await;
            return;
        }
        if to.write_all(said).await.is_err() {
            return;
        }
    }
}

/// What is to be cut in this, and where: the word that the plan waits for is in it.
fn due(plan: &Plan, said: &[u8], word: &[u8], cuts: &[Cut]) -> Option<(Cut, usize)> {
    let mut plan = plan.lock().unwrap();
    let (cut, left) = plan.as_mut().filter(|(cut, _)| cuts.contains(cut))?;
    let at = said.windows(word.len()).position(|part| part == word)?;
    if *left > 0 {
        *left -= 1;
        return None;
    }
    let cut = *cut;
    *plan = None;
    Some((cut, at))
}
