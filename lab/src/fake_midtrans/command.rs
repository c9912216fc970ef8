//! `ordermill-lab fake-midtrans`: the fake for people, until the process is asked to stop.

use super::{FakeMidtrans, FakeSettings};
use anyhow::Context as _;
use clap::Args;
use ordermill::app::world;
use ordermill::stop_signal::asked_to_stop;
use std::net::SocketAddr;

/// What the command is told.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct FakeMidtransArgs {
    /// Address and port to listen on; a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8091", value_parser = loopback)]
    listen: SocketAddr,
    /// URL to which notifications are posted, for example
    /// http://127.0.0.1:8080/webhooks/midtrans. Default: none is posted
    #[arg(long, value_name = "URL")]
    notify: Option<String>,
    /// The server key that requests must have and notifications are signed with
    #[arg(long, value_name = "KEY", env = "MIDTRANS_SERVER_KEY", hide_env_values = true)]
    server_key: String,
    /// The merchant's id
    #[arg(long, value_name = "ID", env = "MIDTRANS_MERCHANT_ID", default_value = "G000000001")]
    merchant_id: String,
}

/// Without the key.
impl std::fmt::Debug for FakeMidtransArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeMidtransArgs").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// It has no protection of its own: anyone who reaches it plays the customer and the bank.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("not a loopback address; expected, e.g., 127.0.0.1:8091".to_owned()),
        Err(_) => Err("not an address with a port; expected, e.g., 127.0.0.1:8091".to_owned()),
    }
}

/// Runs the fake until the process is asked to stop.
///
/// # Errors
/// When it cannot listen.
pub async fn run(args: FakeMidtransArgs) -> anyhow::Result<()> {
    let stop = asked_to_stop();
    let settings = FakeSettings {
        listen: args.listen,
        server_key: args.server_key,
        merchant_id: args.merchant_id,
        notify: args.notify,
        clock: world::real().clock,
    };
    let fake = FakeMidtrans::start(settings).await;
    let fake = fake.with_context(|| format!("cannot listen on {}", args.listen))?;
    ordermill::note!("fake Midtrans: pages are listed at {}/", fake.url());
    stop.await;
    Ok(())
}
