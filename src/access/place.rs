//! Where API keys are kept.

use crate::config::{Config, Infrastructure, Secret};
use anyhow::Context;
use ordermill_actors::access::KeyStore;
use ordermill_postgres::access::KeySchema;
use ordermill_sqlite::access::KeyFile;
use std::path::PathBuf;
use std::sync::Arc;

/// Where API keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// `access.db` in this data directory.
    Directory(PathBuf),
    /// The schema `access` of this database.
    Database(Secret),
    /// Nowhere: the services have databases of their own, and no setting names one for keys.
    Nowhere,
}

impl KeyPlace {
    /// Where a server with these settings reads them.
    pub fn of(config: &Config) -> Self {
        match (&config.access_database, &config.infrastructure) {
            (Some(url), _) => Self::Database(url.clone()),
            (None, Infrastructure::Embedded) => Self::Directory(config.data_dir.clone()),
            (None, Infrastructure::Servers(servers)) => {
                servers.shared.clone().map_or(Self::Nowhere, Self::Database)
            }
        }
    }

    /// The store there; None: there is none.
    ///
    /// # Errors
    /// When the database's URL is malformed.
    pub fn store(&self) -> anyhow::Result<Option<Arc<dyn KeyStore>>> {
        Ok(match self {
            Self::Directory(directory) => Some(Arc::new(KeyFile::in_directory(directory))),
            Self::Database(url) => {
                let schema = KeySchema::new(url.expose()).context("the database of API keys")?;
                Some(Arc::new(schema))
            }
            Self::Nowhere => None,
        })
    }
}
