//! Secrets that change while the process serves: on SIGHUP their files are read again.
//!
//! The keys of Midtrans are replaced at once. URLs with passwords are read by a start alone. A file that cannot be
//! used, or a key that is missing, changes nothing.

use crate::config::Config;
use anyhow::Context;
use ordermill_midtrans::ServerKeys;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Has SIGHUP read the files of secrets again, until `stop`. Where no secret is in a file SIGHUP ends the process, as
/// when its terminal is closed.
///
/// # Errors
/// When the system has no signals to give.
pub fn on_hangup(config: &Config, stop: CancellationToken) -> anyhow::Result<()> {
    if !config.written.has_secret_files() {
        return Ok(());
    }
    let mut hangups = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let config = config.clone();
    tokio::spawn(async move {
        while let Some(Some(())) = stop.run_until_cancelled(hangups.recv()).await {
            reread(&config);
        }
    });
    Ok(())
}

fn reread(config: &Config) {
    let read = match config.reread() {
        Ok(read) => read,
        Err(error) => {
            tracing::error!(%error, "SIGHUP: reading secrets again failed; those in use stay");
            return;
        }
    };
    let keys = |config: &Config| -> Option<ServerKeys> {
        config.gateways.midtrans.as_ref().map(|midtrans| midtrans.keys.clone())
    };
    match (keys(config), keys(&read)) {
        (Some(used), Some(new)) if used.replace(new.get()) => {
            tracing::info!("SIGHUP: the server keys of Midtrans have changed and are in use");
        }
        _ => tracing::info!("SIGHUP: no key has changed; URLs are read at the next start"),
    }
}
