//! What `ordermill check` is told.

use crate::config::{Config, ConfigError};
use crate::server_url::server_url;
use clap::Args;
use std::ffi::OsString;
use std::time::Duration;

/// How long an order must not have moved before what differs counts.
const SETTLE: &str = "10s";

/// What is checked, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CheckArgs {
    /// A running server. Where several run different services of one shop, name each of them
    #[arg(long, value_name = "URL", value_parser = server_url, conflicts_with = "data_dir")]
    #[arg(value_delimiter = ',')]
    url: Vec<String>,
    /// The data directory of a server that does not run
    ///
    /// Without it and without --url, the databases that the settings name are read: DATABASE_URL and its kind,
    /// or ORDERMILL_DATA_DIR
    #[arg(long, value_name = "PATH")]
    data_dir: Option<OsString>,
    /// Have the services say again what was missed, and tell what that could not mend; needs --url
    #[arg(long)]
    repair: bool,
    /// What differs counts only for an order that has not moved for so long
    #[arg(long, value_name = "DURATION", default_value = SETTLE)]
    #[arg(value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Print a JSON object a line: each disagreement, then a summary
    #[arg(long)]
    json: bool,
}

/// What is checked, settings read.
#[derive(Debug)]
pub struct Check {
    /// Where.
    pub(super) place: Place,
    /// Whether it is repaired.
    pub(super) repair: bool,
    /// How long an order must not have moved.
    pub(super) settle: Duration,
    /// Whether the report is for machines.
    pub(super) json: bool,
}

/// Where the records are.
#[derive(Debug)]
pub(super) enum Place {
    /// At these servers.
    Servers(Vec<String>),
    /// In the databases that these settings name.
    Stores(Box<Config>),
}

impl Check {
    /// Reads what was asked for.
    ///
    /// # Errors
    /// When a setting is wrong, or `--repair` has no server to ask.
    pub fn read(args: CheckArgs) -> Result<Self, CheckError> {
        let CheckArgs { url, data_dir, repair, settle, json } = args;
        let place = match url.is_empty() {
            false => Place::Servers(url),
            true if repair => return Err(CheckError::RepairNeedsServer),
            true => Place::Stores(Box::new(Config::for_check(data_dir)?)),
        };
        Ok(Self { place, repair, settle, json })
    }
}

/// Why a check cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody could say anything again.
    #[error(
        "--repair asks a running server to say things again: start the server and name it by --url"
    )]
    RepairNeedsServer,
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigError),
}
