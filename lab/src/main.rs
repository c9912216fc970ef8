//! The laboratory's program: reads what it is told, and does it.

use ordermill::program;
use ordermill_lab::bench::{self, Bench};
use ordermill_lab::cli::Invocation;
use ordermill_lab::{dashboards, fake_midtrans, simulate};
use std::process::ExitCode;

/// The allocator of the server, with its default settings.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    program::main(|| {
        Ok(match Invocation::read(std::env::args_os())? {
            Invocation::Bench(bench) => program::block_on(measure(*bench)),
            Invocation::FakeMidtrans(args) => program::block_on(play_midtrans(args)),
            Invocation::Dashboards(args) => {
                program::exit(dashboards::run(&args).map(|()| ExitCode::SUCCESS))
            }
            Invocation::Sim(options) => program::exit(simulate::simulate(&options).map(success)),
        })
    })
}

/// Measures, and says by its exit code whether the records reconcile.
async fn measure(bench: Bench) -> anyhow::Result<ExitCode> {
    program::print_notices(bench.notices());
    Ok(success(bench::run(bench).await?))
}

/// Plays Midtrans until the process is asked to stop.
async fn play_midtrans(args: fake_midtrans::FakeMidtransArgs) -> anyhow::Result<ExitCode> {
    fake_midtrans::run(args).await?;
    Ok(ExitCode::SUCCESS)
}

fn success(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
