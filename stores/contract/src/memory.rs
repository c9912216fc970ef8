//! The model itself as a backend: what the contract says of stores must hold for it, too.

use crate::backend::{Backend, Opened, OrderData};
use async_trait::async_trait;
use ordermill_actors::audit::{AuditReads, AuditService};
use ordermill_actors::gateway::{GatewayReads, SimulatedGateway};
use ordermill_actors::inventory::{Inventory, InventoryReads};
use ordermill_actors::notification::{NotificationReads, NotificationService};
use ordermill_actors::order::Order;
use ordermill_actors::payment::{PaymentReads, PaymentService};
use ordermill_actors::shipping::{ShipmentReads, Shipping};
use ordermill_actors::testing::shop::ShopStores;
use std::sync::Arc;

/// Databases in memory. They outlive being closed, as files do.
#[derive(Default)]
pub struct MemoryBackend(ShopStores);

#[async_trait]
impl Backend for MemoryBackend {
    async fn order(&self) -> Opened<Order, dyn OrderData> {
        let store = Arc::new(self.0.order.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn inventory(&self) -> Opened<Inventory, dyn InventoryReads> {
        let store = Arc::new(self.0.inventory.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn payment(&self) -> Opened<PaymentService, dyn PaymentReads> {
        let store = Arc::new(self.0.payment.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn gateway(&self) -> Opened<SimulatedGateway, dyn GatewayReads> {
        let store = Arc::new(self.0.gateway.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn shipping(&self) -> Opened<Shipping, dyn ShipmentReads> {
        let store = Arc::new(self.0.shipping.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn notification(&self) -> Opened<NotificationService, dyn NotificationReads> {
        let store = Arc::new(self.0.notification.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn audit(&self) -> Opened<AuditService, dyn AuditReads> {
        let store = Arc::new(self.0.audit.clone());
        Opened { store: store.clone(), reads: store }
    }

    async fn close(&self) {}
}
