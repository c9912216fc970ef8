//! A port in front of a server that is not there yet.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A port that nobody listens on until it is opened.
pub struct ClosedPort {
    address: SocketAddr,
    server: String,
}

impl ClosedPort {
    /// A closed port to the server of this URL.
    pub fn before(url: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = reqwest::Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        Self { address: listener.local_addr().unwrap(), server }
    }

    /// The URL by which the server is reached through the port.
    pub fn url(&self, of_server: &str) -> String {
        let mut url = reqwest::Url::parse(of_server).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    /// Opens it, for as long as the test runs.
    pub async fn open(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let server = self.server.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(&server).await.unwrap();
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    }
}
