//! The frame of our two programs: preparing the log, printing an error, choosing the exit code.

use crate::cli::{Refusal, log_format};
use crate::output::{self, STDERR};
use crate::{print, telemetry};
use std::future::Future;
use std::panic::UnwindSafe;
use std::path::{Path, PathBuf};
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
        STDERR.offer(telemetry::said(Level::ERROR, &format!("{}: {told}", name()), &told, []));
        ExitCode::FAILURE
    })
}

/// Says what whoever started a command should know of its settings.
pub fn print_notices(notices: &[String]) {
    for notice in notices {
        crate::note!("{}: {notice}", name());
    }
}

/// The name that the program was started by.
fn name() -> String {
    let path = std::env::args_os().next().map(PathBuf::from);
    let name =
        path.as_deref().and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "ordermill".to_owned())
}
