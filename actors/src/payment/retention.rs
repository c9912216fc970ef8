//! Notifications of gateways are kept for disputes and for looking into failures, and not for ever.

use super::reads::NotificationLog;
use crate::ports::ReadError;
use crate::runtime::retention::Retained;
use async_trait::async_trait;
use ordermill_domain::clock::World;
use std::sync::Arc;
use std::time::Duration;

/// How long a notification is kept unless a setting says otherwise: a customer has about three months to dispute a
/// payment.
pub const NOTIFICATIONS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

/// The notifications of gateways.
pub struct GatewayNotifications {
    /// The database.
    pub database: Arc<dyn NotificationLog>,
    /// Time.
    pub world: World,
    /// How long they are kept.
    pub kept: Duration,
}

#[async_trait]
impl Retained for GatewayNotifications {
    fn name(&self) -> String {
        "notifications of payment gateways".to_owned()
    }

    async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_notifications(self.world.now() - self.kept, limit).await
    }
}
