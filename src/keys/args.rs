//! What `ordermill keys` is told.

use crate::access::KeyPlace;
use crate::config::Secret;
use crate::key_arg::KeyArg;
use clap::{Args, Subcommand};
use ordermill_client::server_url;
use ordermill_domain::access::Role;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A key that is good for longer is one without an end.
const EXPIRES_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// What is done with API keys, and where.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct KeysArgs {
    /// URL of a running server, for example http://127.0.0.1:8080, to manage its keys over HTTP; needs
    /// a key with the role admin
    #[arg(long, value_name = "URL", value_parser = server_url, global = true)]
    pub url: Option<String>,
    /// The key of the administrator.
    #[command(flatten)]
    pub key: KeyArg,
    /// Data directory of the server, which may be running. Default: the database in the settings, or
    /// ORDERMILL_DATA_DIR, or ./data
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "url")]
    data_dir: Option<OsString>,
    /// Database of the API keys, if not DATABASE_URL
    #[arg(
        long,
        env = "ACCESS_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    access_database_url: Option<Secret>,
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true,
        hide = true
    )]
    database_url: Option<Secret>,
    /// The action.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What is done with API keys.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum KeyCommand {
    /// Create a key and print it, which happens once: only its hash is stored
    Create(NewKeyArgs),
    /// List all keys, oldest first, also expired and revoked ones
    List {
        /// Print JSON, one key per line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: running servers refuse it within 5 seconds
    Revoke {
        /// Id of the key, as shown by `keys list`
        #[arg(value_name = "ID")]
        id: String,
        /// The reason, stored with the key
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Replace a key: print a new one with the same role, customer, name and lifetime, and revoke the
    /// old one
    Rotate {
        /// Id of the key, as shown by `keys list`
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// A new key.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct NewKeyArgs {
    /// Role: customer, shop, operator, admin or metrics
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Role,
    /// Id of the customer, for the role customer
    #[arg(long, value_name = "ID", required_if_eq("role", "customer"))]
    pub customer: Option<String>,
    /// Name of the key, for people
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub name: String,
    /// Lifetime, for example 90d. Default: until it is revoked
    #[arg(long, value_name = "DURATION")]
    pub expires: Option<Lifetime>,
}

/// How long a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(pub Duration);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lifetime = humantime::parse_duration(text).ok();
        let is_sane =
            |lifetime: &Duration| (Duration::from_secs(1)..=EXPIRES_MAX).contains(lifetime);
        let expected = "expected a duration from 1s to 10y, such as 12h or 90d";
        lifetime.filter(is_sane).map(Self).ok_or_else(|| expected.to_owned())
    }
}

impl std::fmt::Display for Lifetime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

fn role(text: &str) -> Result<Role, String> {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    Role::named(text).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

impl KeysArgs {
    /// Where the keys are: what the command line says goes before the environment.
    pub(super) fn place(&self) -> KeyPlace {
        let set = |url: &&Secret| !url.is_blank();
        let database = self.access_database_url.as_ref().filter(set);
        let database = database.or(self.database_url.as_ref().filter(set));
        match (&self.data_dir, database) {
            (Some(directory), _) => KeyPlace::Directory(directory.into()),
            (None, Some(url)) => KeyPlace::Database(url.clone()),
            (None, None) => {
                let named = std::env::var_os("ORDERMILL_DATA_DIR").filter(|name| !name.is_empty());
                KeyPlace::Directory(named.map_or_else(|| "./data".into(), PathBuf::from))
            }
        }
    }
}
