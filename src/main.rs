//! The binary: reads what it is told, and does it.

use ordermill::bench::{self, Bench};
use ordermill::cli::{DemoArgs, Invocation};
use ordermill::config::{self, Config};
use ordermill::{
    actors, api, app, backup, check, demo, dlq, output, print, simulate, stop_signal, telemetry,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;
use tracing::Level;

/// A great many actors come and go, on every thread, and what they leave goes back to the system: with the C
/// library's allocator most of it stays resident, with mimalloc as well. Needs a C compiler and make.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What is empty is given back within a second or two (ten by default), by a thread of the allocator's own, so
/// that nobody who serves pays for it. jemalloc looks for its settings under this name.
#[expect(
    unsafe_code,
    reason = "the allocator finds its settings by this symbol; nobody else has it"
)]
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 60] =
    b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0\0";

/// The exit code after a panic of this thread, as Rust has it.
const EXIT_PANIC: u8 = 101;

fn main() -> ExitCode {
    telemetry::prepare(Invocation::log_format());
    let done = std::panic::catch_unwind(|| match Invocation::from_env() {
        Ok(invocation) => run(invocation),
        Err(refusal) => refusal.report(),
    });
    output::flush();
    done.unwrap_or_else(|_| ExitCode::from(EXIT_PANIC))
}

fn run(invocation: Invocation) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("no threads to run on")),
    };
    let result = match invocation {
        Invocation::Serve(config) => runtime.block_on(serve(*config)),
        Invocation::Demo(args, config) => runtime.block_on(play(args, *config)),
        Invocation::Bench(bench) => runtime.block_on(measure(*bench)),
        Invocation::Actors(args) => runtime.block_on(actors::run(args)),
        Invocation::Backup(args) => runtime.block_on(backup::run(args)),
        Invocation::Dlq(args) => runtime.block_on(dlq::run(args)),
        Invocation::Check(check) => Ok(runtime.block_on(check::run(*check))),
        Invocation::Sim(options) => simulate::simulate(&options)
            .map(|well| if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Invocation::OpenApi => {
            print::text(&api::openapi_json());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| fail(&error))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init(&config.log)?;
    raise_descriptors();
    for notice in config.notices.iter().cloned().chain(config::unknown_variables()) {
        tracing::warn!("{notice}");
    }
    // Before anybody is told that it serves: who asks it to stop then is heard.
    let asked = stop_signal::asked_to_stop();
    tokio::pin!(asked);
    let app = tokio::select! {
        biased;
        () = &mut asked => return Ok(ExitCode::SUCCESS),
        started = app::App::start(config) => started?,
    };
    output::STDOUT.offer(app.banner());
    app.run_until(asked).await
}

/// Every connection is a descriptor: the process may have as many as the system allows it.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "raising the limit of open files failed");
    }
}

/// Plays the demo against a server, or against one that it starts: on a directory of its own, or on the
/// PostgreSQL and RabbitMQ that the environment names.
async fn play(args: DemoArgs, config: Config) -> anyhow::Result<ExitCode> {
    let DemoArgs { url, orders } = args;
    let balanced = match url {
        Some(url) => demo::run(demo::DemoOptions { url, orders }).await?,
        None => {
            tell(&config.notices);
            let play = |url| demo::run(demo::DemoOptions { url, orders });
            app::with_temporary(config, play).await?
        }
    };
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what whoever started a command should know of its settings.
fn tell(notices: &[String]) {
    for notice in notices {
        ordermill::note!("ordermill: {notice}");
    }
}

/// Measures, and says by its exit code whether the records reconcile.
async fn measure(bench: Bench) -> anyhow::Result<ExitCode> {
    tell(bench.notices());
    let well = bench::run(bench).await?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let told = print::told(error);
    let line = telemetry::said(Level::ERROR, &format!("ordermill: {told}"), &told, []);
    output::STDERR.offer(line);
    ExitCode::FAILURE
}
