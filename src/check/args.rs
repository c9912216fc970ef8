//! What `ordermill check` is told.

use crate::config::{Config, ConfigError};
use crate::key_arg::KeyArg;
use clap::Args;
use ordermill_client::server_url;
use std::ffi::OsString;
use std::time::Duration;

/// How long an order must not have moved before what differs counts.
const SETTLE: &str = "10s";

/// What is checked, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CheckArgs {
    /// URL of a running server. If several servers run different services of one shop, give each of
    /// them
    #[arg(long, value_name = "URL", value_parser = server_url, conflicts_with = "data_dir")]
    #[arg(value_delimiter = ',')]
    url: Vec<String>,
    /// Data directory of a stopped server
    ///
    /// Default without --url: the databases in the settings, DATABASE_URL and the URLs per service,
    /// or ORDERMILL_DATA_DIR
    #[arg(long, value_name = "PATH")]
    data_dir: Option<OsString>,
    /// The API key.
    #[command(flatten)]
    key: KeyArg,
    /// Republish missed messages, then report the remaining disagreements; needs --url
    #[arg(long)]
    repair: bool,
    /// Ignore differences of orders that changed within this time
    #[arg(long, value_name = "DURATION", default_value = SETTLE)]
    #[arg(value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Print JSON, one object per line: each disagreement, then a summary
    #[arg(long)]
    json: bool,
}

/// What is checked, settings read.
#[derive(Debug)]
pub struct Check {
    /// Where.
    pub(super) place: Place,
    /// The API key for the servers.
    pub(super) key: KeyArg,
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
        let CheckArgs { url, key, data_dir, repair, settle, json } = args;
        let place = match url.is_empty() {
            false => Place::Servers(url),
            true if repair => return Err(CheckError::RepairNeedsServer),
            true => Place::Stores(Box::new(Config::for_check(data_dir)?)),
        };
        Ok(Self { place, key, repair, settle, json })
    }
}

/// Why a check cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody could say anything again.
    #[error("--repair needs a running server: start it and set --url")]
    RepairNeedsServer,
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigError),
}
