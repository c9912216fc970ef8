//! From the first request to the last: serves, drains when asked to stop, then ends.
//!
//! ```text
//! serves ─ signal ─▶ drains: /ready answers 503, everything is served ─ ORDERMILL_DRAIN_DELAY, or a signal ─▶ ends
//! ```
//!
//! Load balancers learn that a process leaves by asking it. While they do not know yet they send requests, which must
//! find an open door.

use super::App;
use crate::stop_signal::asked_to_stop;
use crate::systemd::ServiceManager;
use std::future::Future;
use std::process::ExitCode;

impl App {
    /// Runs until it is asked to stop, drains, then ends in good order. The next wish to stop ends the draining; the
    /// one after that, or the end of the services, ends it at once.
    pub async fn run_until(
        mut self,
        asked: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<ExitCode> {
        let manager = ServiceManager::from_env();
        manager.ready(&self.does());
        let watched = manager.clone();
        tokio::spawn(async move { watched.watch().await });
        self.serve_until(asked).await?;
        manager.stopping("stopping");
        self.drain().await?;
        tokio::select! {
            biased;
            () = asked_to_stop() => {
                tracing::warn!("second stop signal: exiting at once");
                Ok(ExitCode::FAILURE)
            }
            drained = self.stop() => Ok(if drained { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        }
    }

    /// Serves on, but is not ready any more.
    async fn drain(&mut self) -> anyhow::Result<()> {
        self.leaving.cancel();
        let delay = self.config.drain_delay;
        if delay.is_zero() {
            return Ok(());
        }
        tracing::info!(?delay, "draining: GET /ready responds with 503, requests are still served");
        let asked = asked_to_stop();
        self.serve_until(async move {
            // Either ends it.
            let _ = tokio::time::timeout(delay, asked).await;
        })
        .await
    }

    /// Serves until then, or until it cannot go on.
    async fn serve_until(&mut self, end: impl Future<Output = ()> + Send) -> anyhow::Result<()> {
        tokio::select! {
            biased;
            () = end => Ok(()),
            _ = &mut self.root_ended => {
                tracing::error!("a service exceeded its restart limit; the process exits and must be restarted");
                anyhow::bail!("a service exceeded its restart limit; see the log");
            }
            () = self.brokers.failed() => {
                tracing::error!("RabbitMQ connection task failed; the process exits and must be restarted");
                anyhow::bail!("RabbitMQ connection task failed; see the log");
            }
        }
    }
}
