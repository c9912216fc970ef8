//! Opens the databases of a process that runs no services.

use super::boot::Boot;
use super::databases::{CLOSE_WITHIN, Databases};
use super::world;
use crate::config::Config;
use ordermill_actors::metrics::DatabaseFamilies;
use ordermill_actors::registry::ServiceDatabases;

/// Opens the databases that the settings name, without anybody working on them. Files of different moments are opened,
/// too: they are compared to say what does not agree.
pub(crate) async fn open_stores(config: &Config) -> anyhow::Result<ServiceDatabases> {
    let boot = Boot::new(config.startup_timeout);
    let databases = Databases::new(config, world::owner())?;
    databases.open(config, &boot, &DatabaseFamilies::default()).await
}

/// Brings the databases that the settings name up to date and closes them, whatever they say of migrations.
pub(crate) async fn migrate_databases(config: &Config, boot: &Boot) -> anyhow::Result<()> {
    let config = Config { migrates: true, ..config.clone() };
    let databases = Databases::new(&config, world::owner())?;
    let migrated = databases.open_unmixed(&config, boot, &DatabaseFamilies::default()).await;
    databases.close(CLOSE_WITHIN).await;
    migrated.map(drop)
}
