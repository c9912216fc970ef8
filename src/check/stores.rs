//! The records as the databases hold them: a data directory that no server uses, or PostgreSQL.

use super::checker::{System, SystemState};
use crate::app::databases::FILES;
use crate::app::{open_stores, world};
use crate::config::{Config, Infrastructure};
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::Sources;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What was opened.
pub struct Opened {
    /// The records.
    pub sources: Sources,
    /// Who may be at work on them meanwhile. None: nobody.
    pub system: Option<Arc<dyn System>>,
    /// Orders of which messages wait to be sent: they are under way, wherever their records stand.
    pub pending: BTreeSet<OrderId>,
}

/// Opens the databases that the settings name, each brought up to date as a start would.
///
/// # Errors
/// When one is missing or cannot be opened, or a server uses the data directory.
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    if config.infrastructure == Infrastructure::Embedded {
        all_are_there(&config.data_dir)?;
    }
    let stores = open_stores(config).await?;
    let (system, pending): (Option<Arc<dyn System>>, _) = match config.infrastructure {
        Infrastructure::Embedded => (None, stores.pending().await?),
        Infrastructure::Servers(_) => (Some(Arc::new(Clock(world::real()))), BTreeSet::new()),
    };
    Ok(Opened { sources: stores.sources(), system, pending })
}

/// A start makes the files that are missing. A check of nothing would find nothing to be wrong.
fn all_are_there(data_dir: &Path) -> anyhow::Result<()> {
    let missing = |name: &&str| !data_dir.join(format!("{name}.db")).is_file();
    let missing: Vec<_> = FILES.into_iter().filter(missing).collect();
    let files: Vec<_> = missing.iter().map(|name| format!("{name}.db")).collect();
    anyhow::ensure!(
        files.is_empty(),
        "{} is not a complete data directory; missing files: {}",
        data_dir.display(),
        files.join(", ")
    );
    Ok(())
}

/// Servers that may be at work on the same databases. How far behind they are is not known here.
struct Clock(World);

#[async_trait]
impl System for Clock {
    async fn state(&self) -> Result<SystemState, ReadError> {
        Ok(SystemState { now: self.0.now(), lag: Duration::ZERO })
    }
}
