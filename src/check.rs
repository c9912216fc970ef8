//! `ordermill check`: compares what the services say of every order and product.
//!
//! ```text
//! a running server (HTTP) ─┐
//! a data directory         ├─▶ Sources ─▶ Checker ─▶ Outcome ─▶ report, exit code
//! PostgreSQL               ┘               compare, and look again at what differs
//! ```
//!
//! What is compared is decided in `ordermill_actors::reconciliation`. The same checker runs in the background of
//! a server, in the demo, in the bench and in the tests.

mod args;
pub mod background;
mod checker;
mod http;
mod progress;
mod repair;
mod report;
mod stores;

pub use args::{Check, CheckArgs, CheckError};
pub use checker::{Checker, Outcome, Scope, System, SystemState};
pub use http::Remote;
pub use ordermill_domain::reconciliation::PaymentRecord;

use crate::key_arg::KeyArg;
use crate::{output, print, telemetry};
use progress::Progress;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;

/// The exit code of a check that could not run: `EX_UNAVAILABLE` of sysexits.h. 1 means that something differs.
const EXIT_UNAVAILABLE: u8 = 69;

/// Checks, prints what was found, and says by the exit code whether anything differs.
pub async fn run(check: Check) -> ExitCode {
    match checked(check).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let told = print::told(&error);
            let line = telemetry::said(Level::ERROR, &format!("ordermill: {told}"), &told, []);
            output::STDERR.offer(line);
            ExitCode::from(EXIT_UNAVAILABLE)
        }
    }
}

async fn checked(check: Check) -> anyhow::Result<bool> {
    let progress = Progress::start();
    match &check.place {
        args::Place::Servers(urls) => {
            progress.says(format!("asking {}", urls.join(", ")));
            let remote = Remote::open(urls, &check.key).await?;
            let checker = Checker {
                sources: remote.sources(),
                system: Some(Arc::new(remote.clone())),
                settle: check.settle,
                progress: Some(progress.clone()),
            };
            let mut outcome = checker.check(&Scope::all()).await?;
            if check.repair {
                repair::repair(&remote, &checker, &mut outcome, &progress).await?;
            }
            finish(&outcome, &check, &progress)
        }
        args::Place::Stores(config) => {
            progress.says("opening the databases".to_owned());
            let stores::Opened { sources, system, pending } = stores::open(config).await?;
            let checker =
                Checker { sources, system, settle: check.settle, progress: Some(progress.clone()) };
            let outcome = checker.check(&Scope { pending, ..Scope::all() }).await?;
            finish(&outcome, &check, &progress)
        }
    }
}

fn finish(outcome: &Outcome, check: &Check, progress: &Progress) -> anyhow::Result<bool> {
    progress.end();
    match check.json {
        true => report::json(outcome)?,
        false => report::text(outcome),
    }
    Ok(outcome.agrees())
}

/// Compares everything that the servers at these addresses say of some orders and products.
///
/// # Errors
/// When a server does not answer.
pub async fn of_servers(
    urls: &[String],
    key: &KeyArg,
    scope: &Scope,
    settle: Duration,
) -> anyhow::Result<Outcome> {
    let remote = Remote::open(urls, key).await?;
    let sources = remote.sources();
    let progress = Some(Progress::start());
    let checker = Checker { sources, system: Some(Arc::new(remote)), settle, progress };
    checker.check(scope).await
}
