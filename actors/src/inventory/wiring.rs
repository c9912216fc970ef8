//! Wires the inventory service: its rules, its store, and what runs.

use super::{
    AdjustmentKeys, CommandHandler, IDLE_AFTER, InventoryReads, Movements, SkuKind, Stock,
};
use crate::ports::Database;
use crate::runtime::directory::Directory;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::inventory::Inventory;
use std::sync::Arc;
use std::time::Duration;

/// How the inventory service goes about its work.
#[derive(Clone, Copy, Debug, Default)]
pub struct InventorySettings {
    /// How long a stock movement is kept; none: for good.
    pub movements_kept: Option<Duration>,
}

/// The inventory service.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<Inventory>>,
    reads: Arc<dyn InventoryReads>,
    settings: InventorySettings,
) -> (Stock, ChildSpec) {
    let mut builder = process.service("inventory", Arc::new(Inventory), store);
    let world = builder.world().clone();
    builder.keeps(Arc::new(AdjustmentKeys { database: reads.clone(), world: world.clone() }));
    if let Some(kept) = settings.movements_kept {
        let database = reads.clone();
        builder.keeps(Arc::new(Movements { database, world: world.clone(), kept }));
    }
    let kind = SkuKind::new(reads, builder.journal.clone());
    let skus = Directory::new(kind, world.clone(), IDLE_AFTER);
    builder.entities("skus", &skus);
    builder.consume_all(Arc::new(CommandHandler::new(skus.clone())));
    (Stock::new(skus, world), builder.finish())
}
