//! `ordermill health`: is the server of this machine alive, or ready? For health checks of containers, which have no
//! other HTTP client.

use crate::say;
use anyhow::{Context, bail};
use clap::Args;
use ordermill_client::{Client, Method, Options, RawResponse, StatusCode, server_url};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

/// How long an answer may take: a server that lives answers in milliseconds, and checks of orchestrators wait for
/// some seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Which server is asked, and for what.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct HealthArgs {
    /// Check readiness (GET /ready) instead of liveness (GET /health)
    #[arg(long)]
    pub ready: bool,
    /// URL of the server. Default: the port of ORDERMILL_LISTEN on this machine
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub url: Option<String>,
    /// Address and port that the server listens on
    #[arg(long, env = "ORDERMILL_LISTEN", value_name = "IP:PORT", hide = true)]
    #[arg(default_value = "127.0.0.1:8080", value_parser = listen)]
    pub listen: SocketAddr,
}

/// What `/ready` says, as far as it is told here.
#[derive(Deserialize)]
struct Readiness {
    missing: Vec<String>,
}

/// Asks it. The exit code is 0 if the answer is yes, otherwise 1 with the reason.
///
/// # Errors
/// When the server does not answer, or the answer is no.
pub async fn run(args: HealthArgs) -> anyhow::Result<ExitCode> {
    let url = args.asked_url()?;
    let (path, yes, no) = match args.ready {
        true => ("/ready", "ready", "not ready"),
        false => ("/health", "alive", "not alive"),
    };
    let options = Options {
        request_timeout: ANSWER_WITHIN,
        connect_timeout: ANSWER_WITHIN,
        ..Options::default()
    };
    let client = Client::new(&url, options);
    let RawResponse { status, text, .. } = client.once(client.request(Method::GET, path)).await?;
    if status == StatusCode::OK {
        say!("{yes}: {url}{path}");
        return Ok(ExitCode::SUCCESS);
    }
    match serde_json::from_str(&text) {
        Ok(Readiness { missing }) => bail!("{no}: {}", missing.join("; ")),
        Err(_) => bail!("{no}: {url}{path} responded with {status}"),
    }
}

impl HealthArgs {
    /// The URL that is asked. A server that listens on all addresses is asked at the one of loopback.
    fn asked_url(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let mut address = self.listen;
        if address.port() == 0 {
            bail!("ORDERMILL_LISTEN has port 0, which any server may have chosen; set --url");
        }
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(format!("http://{address}"))
    }
}

/// An empty value counts as not set, as in every setting.
fn listen(text: &str) -> anyhow::Result<SocketAddr> {
    let text = if text.trim().is_empty() { "127.0.0.1:8080" } else { text.trim() };
    text.parse().context("expected an IP address and a port, such as 127.0.0.1:8080")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(listen: &str) -> anyhow::Result<String> {
        let listen = super::listen(listen)?;
        HealthArgs { ready: false, url: None, listen }.asked_url()
    }

    #[test]
    fn the_server_of_this_machine_is_asked() {
        for (listen, url) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8081", "http://[::1]:8081"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("192.0.2.1:8080", "http://192.0.2.1:8080"),
            (" ", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(asked(listen).unwrap(), url);
        }
        assert!(asked("127.0.0.1:0").unwrap_err().to_string().contains("--url"));
        assert!(asked("localhost").is_err());
    }
}
