//! `ordermill backup`: a copy of an embedded system at one instant, taken while it runs or while it does not.
//!
//! ```text
//! server runs:     POST /admin/backup ─▶ snapshot of all databases ─▶ tar over HTTP ─▶ directory
//! none runs:       data directory, locked ──────▶ the same ─────────▶ tar ───────────▶ directory
//! ```
//!
//! Why a snapshot of all databases at one instant comes to rest in a consistent state, and how it is taken:
//! [`ordermill_sqlite::snapshot`]. The directory is a data directory like any other: to restore it is to serve from a
//! copy of it.

mod archive;
mod manifest;
mod receive;
mod target;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Backups, Refused};

use crate::app::world;
use crate::key_arg::KeyArg;
use crate::stop_signal::asked_to_stop;
use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use futures::StreamExt;
use manifest::Manifest;
use ordermill_client::Client;
use ordermill_sqlite::{DataDir, DataDirError, Database, progress};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use target::Target;
use tokio_util::sync::CancellationToken;

/// What is backed up, and where to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct BackupArgs {
    /// Directory to create; it must not exist, or must be empty
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Data directory to back up. If a server uses it, the backup is requested from that server
    /// over HTTP
    #[arg(long, env = "ORDERMILL_DATA_DIR", value_name = "PATH", default_value = "./data")]
    pub data_dir: PathBuf,
    /// URL of a running server to back up, for example http://127.0.0.1:8080
    #[arg(long, value_name = "URL", value_parser = ordermill_client::server_url)]
    pub url: Option<String>,
    /// The API key.
    #[command(flatten)]
    pub key: KeyArg,
}

/// Takes a backup; fails when there is none in the end.
pub async fn run(args: BackupArgs) -> anyhow::Result<ExitCode> {
    let target = Target::make(&args.directory)?;
    tokio::select! {
        biased;
        () = asked_to_stop() => bail!("interrupted: no backup was written"),
        taken = take(&args, target) => taken.map(|()| ExitCode::SUCCESS),
    }
}

async fn take(args: &BackupArgs, target: Target) -> anyhow::Result<()> {
    let manifest = match source(args)? {
        Source::Server(url) => of_server(&args.key.client(&url), target).await?,
        Source::Directory(directory) => of_directory(directory, target).await?,
    };
    let directory = args.directory.display();
    crate::say!("{manifest}");
    crate::say!("backup written to {directory}; to restore it, serve from a copy:");
    crate::say!("  cp -r {directory} ./restored && ordermill serve --data-dir ./restored");
    Ok(())
}

enum Source {
    /// A running server.
    Server(String),
    /// A data directory that no server works in; it is this process's now.
    Directory(DataDir),
}

fn source(args: &BackupArgs) -> anyhow::Result<Source> {
    if let Some(url) = &args.url {
        return Ok(Source::Server(url.clone()));
    }
    let path = &args.data_dir;
    // Opening it would make it.
    if !path.is_dir() {
        bail!(
            "there is no data directory {}; set --data-dir, or set a server with --url",
            path.display()
        );
    }
    match DataDir::open(path) {
        Ok(directory) => Ok(Source::Directory(directory)),
        Err(DataDirError::InUse { holder, .. }) if holder.url.is_some() => {
            Ok(Source::Server(holder.url.unwrap_or_default()))
        }
        Err(error @ DataDirError::InUse { .. }) => {
            Err(anyhow!(error).context("wait until that process is ready or has exited"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn of_server(server: &Client, target: Target) -> anyhow::Result<Manifest> {
    let url = server.url();
    crate::note!("asking {url}");
    let answer = server.backup().await?;
    let broken = |error| {
        io::Error::other(format!(
            "the response of {url} is incomplete; see the server log: {error}"
        ))
    };
    let bytes = answer.bytes_stream().map(|read| read.map_err(|error| broken(error.without_url())));
    receive::receive(bytes, target).await
}

async fn of_directory(directory: DataDir, target: Target) -> anyhow::Result<Manifest> {
    let path = directory.path().to_owned();
    let databases = Database::open_all(&directory).await?;
    let copied = copy_whole(&path, &databases, target).await;
    futures::future::join_all(databases.iter().map(Database::close)).await;
    copied
}

/// Copies the databases of one point in time: of others, no server would start from the copy.
async fn copy_whole(
    path: &Path,
    databases: &[Database],
    target: Target,
) -> anyhow::Result<Manifest> {
    ensure!(!databases.is_empty(), "there are no databases in {}", path.display());
    if let Some(mixed) = progress::compare(databases).await? {
        bail!(mixed);
    }
    copy(path, databases.to_vec(), target).await
}

async fn copy(path: &Path, databases: Vec<Database>, target: Target) -> anyhow::Result<Manifest> {
    crate::note!("no server uses {}: copying its databases", path.display());
    let backups = Backups::of(databases, world::real(), CancellationToken::new());
    let bytes = backups.begin().await.map_err(|refused| anyhow!(refused))?.bytes();
    let copied = receive::receive(bytes, target).await;
    backups.ended().await;
    copied.with_context(|| format!("copying {} failed", path.display()))
}
