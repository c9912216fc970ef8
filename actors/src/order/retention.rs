//! Idempotency keys are kept for longer than the API promises, and not for ever.

use super::reads::DueOrders;
use crate::ports::ReadError;
use crate::runtime::retention::Retained;
use async_trait::async_trait;
use ordermill_domain::clock::World;
use std::sync::Arc;
use std::time::Duration;

/// How long an idempotency key is kept. The API promises 24 hours at least.
const CLAIMS_KEPT: Duration = Duration::from_secs(48 * 3_600);

/// Idempotency keys.
pub struct Claims {
    /// The database.
    pub database: Arc<dyn DueOrders>,
    /// Time.
    pub world: World,
}

#[async_trait]
impl Retained for Claims {
    fn name(&self) -> String {
        "idempotency keys".to_owned()
    }

    async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_claims(self.world.now() - CLAIMS_KEPT, limit).await
    }
}
