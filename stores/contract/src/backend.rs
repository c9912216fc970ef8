//! What a store must offer to be held to the contract: each service's database, opened on demand.

use async_trait::async_trait;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::GatewayReads;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::notification::NotificationReads;
use ordermill_actors::order::{DueOrders, OrderReads};
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::ports::Database;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::audit::AuditService;
use ordermill_domain::gateway::SimulatedGateway;
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::Order;
use ordermill_domain::payment::PaymentService;
use ordermill_domain::service::Service;
use ordermill_domain::shipping::Shipping;
use std::sync::Arc;

/// Everything that the order service asks of its database outside of its journal.
pub trait OrderData: OrderReads + DueOrders {}

impl<T: OrderReads + DueOrders> OrderData for T {}

/// A service's database, opened.
pub struct Opened<S: Service, R: ?Sized> {
    /// As its journal and its relay see it.
    pub store: Arc<dyn Database<S>>,
    /// As its readers see it.
    pub reads: Arc<R>,
}

/// One place with a database for each service, empty when it is made, and gone when it is dropped.
///
/// What was opened earlier stays open beside what is opened now, until [`close`](Self::close).
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens the order service's database, with whatever is in it.
    async fn order(&self) -> Opened<Order, dyn OrderData>;
    /// Opens the inventory service's.
    async fn inventory(&self) -> Opened<Inventory, dyn InventoryReads>;
    /// Opens the payment service's.
    async fn payment(&self) -> Opened<PaymentService, dyn PaymentReads>;
    /// Opens the simulated gateway's.
    async fn gateway(&self) -> Opened<SimulatedGateway, dyn GatewayReads>;
    /// Opens the shipping service's.
    async fn shipping(&self) -> Opened<Shipping, dyn ShipmentReads>;
    /// Opens the notification service's.
    async fn notification(&self) -> Opened<NotificationService, dyn NotificationReads>;
    /// Opens the audit service's.
    async fn audit(&self) -> Opened<AuditService, dyn AuditReads>;
    /// Opens all of them, as reconciliation reads them.
    async fn sources(&self) -> Sources;

    /// Closes everything that is open, as the end of a process does. The data stay.
    async fn close(&self);
}
