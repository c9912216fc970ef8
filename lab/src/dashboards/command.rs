//! Writes the dashboards to a directory, or compares them with what is there.

use super::all;
use anyhow::Context;
use clap::Args;
use std::path::{Path, PathBuf};

/// What is to be done with the dashboards.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DashboardsArgs {
    /// Compare the files with the generated dashboards instead of writing them; exits with 1 if they differ
    #[arg(long)]
    check: bool,
    /// Directory of the dashboards
    #[arg(value_name = "DIR", default_value = "deploy/grafana/dashboards")]
    directory: PathBuf,
}

/// A file that is not what the code generates.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: differs from the generated dashboard; run: ordermill-lab dashboards {}", file.display(), directory.display())]
pub struct Drift {
    file: PathBuf,
    directory: PathBuf,
}

/// Writes the dashboards, or compares them.
///
/// # Errors
/// When a file differs ([`Drift`]) or cannot be written.
pub fn run(args: &DashboardsArgs) -> anyhow::Result<()> {
    match args.check {
        true => Ok(check(&args.directory)?),
        false => write(&args.directory),
    }
}

pub(super) fn write(directory: &Path) -> anyhow::Result<()> {
    for (name, text) in all() {
        let file = directory.join(name);
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// A missing file differs.
pub(super) fn check(directory: &Path) -> Result<(), Drift> {
    let differs = |(name, text): &(String, String)| {
        std::fs::read_to_string(directory.join(name)).unwrap_or_default() != *text
    };
    match all().into_iter().find(differs) {
        None => Ok(()),
        Some((name, _)) => {
            Err(Drift { file: directory.join(name), directory: directory.to_owned() })
        }
    }
}
