//! Data of inventory with a retention: movements, and the keys of requests to adjust stock.

use super::InventoryReads;
use crate::ports::ReadError;
use crate::runtime::retention::Retained;
use async_trait::async_trait;
use ordermill_domain::clock::World;
use std::sync::Arc;
use std::time::Duration;

/// How long the key of an adjustment is kept: as long as an order's. The API promises 24 hours.
const KEYS_KEPT: Duration = Duration::from_secs(48 * 3_600);

/// The keys of requests to adjust stock.
pub struct AdjustmentKeys {
    /// The database.
    pub database: Arc<dyn InventoryReads>,
    /// Time.
    pub world: World,
}

#[async_trait]
impl Retained for AdjustmentKeys {
    fn name(&self) -> String {
        "idempotency keys of adjustments".to_owned()
    }

    async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_adjustment_keys(self.world.now() - KEYS_KEPT, limit).await
    }
}

/// The stock ledger.
pub struct Movements {
    /// The database.
    pub database: Arc<dyn InventoryReads>,
    /// Time.
    pub world: World,
    /// How long a movement is kept.
    pub kept: Duration,
}

#[async_trait]
impl Retained for Movements {
    fn name(&self) -> String {
        "stock movements".to_owned()
    }

    async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_movements(self.world.now() - self.kept, limit).await
    }
}
