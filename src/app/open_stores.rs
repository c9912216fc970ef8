//! Opens the databases of a process that runs no services.

use super::boot::Boot;
use super::databases::Databases;
use super::world;
use crate::config::Config;
use ordermill_actors::registry::ServiceDatabases;

/// Opens the databases that the settings name, without anybody working on them. Files of different moments are opened,
/// too: they are compared to say what does not agree.
pub(crate) async fn open_stores(config: &Config) -> anyhow::Result<ServiceDatabases> {
    let boot = Boot::new(config.startup_timeout);
    let databases = Databases::new(config, world::owner())?;
    databases.open(config, &boot).await
}
