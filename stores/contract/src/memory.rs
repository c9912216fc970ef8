//! The model itself as a backend: what the contract says of stores must hold for it, too.

use crate::backend::{Backend, Opened, OrderData};
use async_trait::async_trait;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::GatewayReads;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::notification::NotificationReads;
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_actors::testing::MemoryStore;
use ordermill_actors::testing::shop::ShopStores;
use ordermill_domain::audit::AuditService;
use ordermill_domain::gateway::SimulatedGateway;
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::Order;
use ordermill_domain::payment::PaymentService;
use ordermill_domain::shipping::Shipping;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Databases in memory. They outlive being closed, as files do; what is opened is one more process.
#[derive(Default)]
pub struct MemoryBackend {
    stores: ShopStores,
    /// The number of the process that was opened last.
    owner: AtomicU64,
}

impl MemoryBackend {
    fn process<T>(&self, of: impl Fn(&ShopStores) -> &MemoryStore<T>) -> Arc<MemoryStore<T>> {
        let owner = self.owner.fetch_add(1, Relaxed) + 1;
        Arc::new(of(&self.stores).owned_by(owner))
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn order(&self) -> Opened<Order, dyn OrderData> {
        let store = self.process(|stores| &stores.order);
        Opened { store: store.clone(), reads: store }
    }

    async fn inventory(&self) -> Opened<Inventory, dyn InventoryReads> {
        let store = self.process(|stores| &stores.inventory);
        Opened { store: store.clone(), reads: store }
    }

    async fn payment(&self) -> Opened<PaymentService, dyn PaymentReads> {
        let store = self.process(|stores| &stores.payment);
        Opened { store: store.clone(), reads: store }
    }

    async fn gateway(&self) -> Opened<SimulatedGateway, dyn GatewayReads> {
        let store = self.process(|stores| &stores.gateway);
        Opened { store: store.clone(), reads: store }
    }

    async fn shipping(&self) -> Opened<Shipping, dyn ShipmentReads> {
        let store = self.process(|stores| &stores.shipping);
        Opened { store: store.clone(), reads: store }
    }

    async fn notification(&self) -> Opened<NotificationService, dyn NotificationReads> {
        let store = self.process(|stores| &stores.notification);
        Opened { store: store.clone(), reads: store }
    }

    async fn audit(&self) -> Opened<AuditService, dyn AuditReads> {
        let store = self.process(|stores| &stores.audit);
        Opened { store: store.clone(), reads: store }
    }

    async fn sources(&self) -> Sources {
        self.stores.sources()
    }

    async fn close(&self) {
        let ShopStores { order, inventory, payment, gateway, .. } = &self.stores;
        let ShopStores { shipping, notification, audit, .. } = &self.stores;
        for owner in 0..=self.owner.load(Relaxed) {
            order.owner_died(owner);
            inventory.owner_died(owner);
            payment.owner_died(owner);
            gateway.owner_died(owner);
            shipping.owner_died(owner);
            notification.owner_died(owner);
            audit.owner_died(owner);
        }
    }
}
