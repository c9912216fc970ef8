//! `ordermill migrate`: brings the databases up to date apart from serving, for instance as another user.

use crate::app::{Boot, migrate_databases};
use crate::config::{Config, Infrastructure};
use crate::{say, waiting};
use std::process::ExitCode;

/// Makes and migrates the databases of the services that the settings name.
///
/// # Errors
/// When one cannot be opened in time or migrated; those before it are up to date.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let boot = Boot::new(config.startup_timeout);
    let missing = || boot.missing().unwrap_or_else(|| "the databases".to_owned());
    waiting::report_waiting(missing, migrate_databases(&config, &boot)).await?;
    let place = match &config.infrastructure {
        Infrastructure::Embedded => config.data_dir.display().to_string(),
        Infrastructure::Servers(_) => "PostgreSQL".to_owned(),
    };
    let services: Vec<_> = config.services.iter().map(|name| name.as_str()).collect();
    say!("the databases of {} are up to date ({place})", services.join(", "));
    Ok(ExitCode::SUCCESS)
}
