//! The binary: reads what it is told, and does it.

use ordermill::cli::{DemoArgs, Invocation, Refusal};
use ordermill::config::{self, Config, ConfigError};
use ordermill::{
    actors, api, app, asyncapi, backup, check, core_dumps, demo, dlq, health, keys, migrate,
    output, print, program, stop_signal, telemetry,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;

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

fn main() -> ExitCode {
    program::main(|| Ok(run(Invocation::from_env()?)))
}

fn run(invocation: Invocation) -> ExitCode {
    match invocation {
        Invocation::Serve(config) => program::block_on(serve(*config)),
        Invocation::Demo(args, config) => program::block_on(play(args, *config)),
        Invocation::Actors(args) => program::block_on(actors::run(args)),
        Invocation::Backup(args) => program::block_on(backup::run(args)),
        Invocation::Dlq(args) => program::block_on(dlq::run(args)),
        Invocation::Keys(args) => program::block_on(keys::run(args)),
        Invocation::Check(check) => program::block_on(async { Ok(check::run(*check).await) }),
        Invocation::Migrate(config) => program::block_on(migrate::run(*config)),
        Invocation::Health(args) => program::block_on(health::run(args)),
        Invocation::OpenApi => {
            print::text(&api::openapi_json());
            ExitCode::SUCCESS
        }
        Invocation::AsyncApi => {
            print::text(&asyncapi::asyncapi_json());
            ExitCode::SUCCESS
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init(&config.log)?;
    raise_descriptors();
    core_dumps::disable();
    for notice in config.notices.iter().cloned().chain(config::unknown_variables()) {
        tracing::warn!("{notice}");
    }
    // Before anybody is told that it serves: who asks it to stop then is heard.
    let asked = stop_signal::asked_to_stop();
    tokio::pin!(asked);
    let app = tokio::select! {
        biased;
        () = &mut asked => return Ok(ExitCode::SUCCESS),
        started = app::App::start(config) => match started {
            Ok(app) => app,
            Err(error) => return error.downcast::<ConfigError>().map(|error| Refusal::from(error).report()),
        },
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
    let DemoArgs { url, key, orders } = args;
    let balanced = match url {
        Some(url) => {
            demo::run(demo::DemoOptions { url, key, orders, pages_end_soon: false }).await?
        }
        None => {
            program::print_notices(&config.notices);
            let play =
                |url| demo::run(demo::DemoOptions { url, key, orders, pages_end_soon: true });
            app::with_temporary(config, play).await?
        }
    };
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
