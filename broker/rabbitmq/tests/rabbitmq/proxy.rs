//! A wire between a broker and those who use it, which can be cut and held.
//!
//! ```text
//! RabbitBroker ──▶ wire ──▶ RabbitMQ        cut: both ends close, whatever was on the way is lost
//!                                           hold: nothing passes, and nobody is told
//! ```

use reqwest::Url;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A wire.
pub struct Proxy {
    place: SocketAddr,
    cuts: watch::Sender<u64>,
    held: watch::Sender<bool>,
}

impl Proxy {
    /// A wire to the server that a URL names.
    pub async fn to(server: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let server = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap());
        let (cuts, _) = watch::channel(0);
        let (held, _) = watch::channel(false);
        let (cutting, holding) = (cuts.clone(), held.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                for (from, to) in [(near_in, far_out), (far_in, near_out)] {
                    let mut cut = cutting.subscribe();
                    let passing = pass(from, to, holding.subscribe());
                    tokio::spawn(async move {
                        tokio::select! {
                            _ = cut.changed() => {}
                            () = passing => {}
                        }
                    });
                }
            }
        });
        Self { place, cuts, held }
    }

    /// The same URL, by this wire.
    pub fn url(&self, server: &Url) -> Url {
        let mut url = server.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.place.port())).unwrap();
        url
    }

    /// Cuts every connection; how many there were.
    pub fn cut(&self) -> usize {
        let connections = self.cuts.receiver_count() / 2;
        self.cuts.send_modify(|cuts| *cuts += 1);
        connections
    }

    /// Holds everything back, or lets it pass.
    pub fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if held.wait_for(|held| !held).await.is_err()
            || to.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}
