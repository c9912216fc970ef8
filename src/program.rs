//! What every program of ours does around its work: it prepares its log, prints what went wrong, and exits by a code.

use crate::cli::{Refusal, log_format};
use crate::output::{self, STDERR};
use crate::{print, telemetry};
use std::future::Future;
use std::panic::UnwindSafe;
use std::process::ExitCode;
use tracing::Level;

/// The exit code after a panic of the main thread, as Rust has it.
const EXIT_PANIC: u8 = 101;

/// Runs a program: its command line is read, and its work done, by `run`.
pub fn main(run: impl FnOnce() -> Result<ExitCode, Refusal> + UnwindSafe) -> ExitCode {
    telemetry::prepare(log_format());
    let done = std::panic::catch_unwind(|| run().unwrap_or_else(Refusal::report));
    output::flush();
    done.unwrap_or_else(|_| ExitCode::from(EXIT_PANIC))
}

/// Does work that waits, on threads of its own.
pub fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => exit(runtime.block_on(work)),
        Err(error) => exit(Err(anyhow::Error::new(error).context("no threads to run on"))),
    }
}

/// The exit code of what was done; what went wrong is printed.
pub fn exit(done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        let told = print::told(&error);
        STDERR.offer(telemetry::said(Level::ERROR, &format!("ordermill: {told}"), &told, []));
        ExitCode::FAILURE
    })
}

/// Says what whoever started a command should know of its settings.
pub fn print_notices(notices: &[String]) {
    for notice in notices {
        crate::note!("ordermill: {notice}");
    }
}
