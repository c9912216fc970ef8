//! Opens each service's database under the data directory, and wires the service to it.

use crate::config::Config;
use anyhow::Context;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::{GatewayPolicy, GatewayReads};
use ordermill_actors::inventory::{InventoryReads, Stock};
use ordermill_actors::notification::{NotificationReads, Notifications};
use ordermill_actors::order::{OrderReads, Orders, SagaObserver, SagaPolicy};
use ordermill_actors::payment::{PaymentPolicy, PaymentReads};
use ordermill_actors::ports::Messenger;
use ordermill_actors::runtime::stations::Process;
use ordermill_actors::runtime::supervisor::Part;
use ordermill_actors::services::{self, OrderSettings};
use ordermill_actors::shipping::{ShipmentReads, ShippingPolicy};
use ordermill_sqlite::{
    DataDir, Database, SqliteStore, audit, gateway, inventory, notification, order, payment,
    shipping,
};
use sqlx::migrate::Migrator;
use std::sync::Arc;

/// What the API asks of the services.
pub struct Services {
    /// Takes orders.
    pub orders: Orders,
    /// Shows them.
    pub order_reads: Arc<dyn OrderReads>,
    /// Sets stock.
    pub stock: Stock,
    /// Shows it.
    pub inventory_reads: Arc<dyn InventoryReads>,
    /// Shows payments.
    pub payment_reads: Arc<dyn PaymentReads>,
    /// Shows the simulated gateway's ledger.
    pub gateway_reads: Arc<dyn GatewayReads>,
    /// Shows shipments.
    pub shipment_reads: Arc<dyn ShipmentReads>,
    /// Marks notifications.
    pub notifications: Notifications,
    /// Shows them.
    pub notification_reads: Arc<dyn NotificationReads>,
    /// Shows the audit.
    pub audit_reads: Arc<dyn AuditReads>,
}

async fn open(data: &DataDir, name: &str, migrations: &Migrator) -> anyhow::Result<Database> {
    Database::open(data, name, migrations).await.with_context(|| format!("the {name} database"))
}

/// Opens and wires all of them, in the order in which they start.
pub async fn all(
    process: &mut Process,
    data: &DataDir,
    config: &Config,
    observer: Arc<dyn SagaObserver>,
    messenger: Option<Arc<dyn Messenger>>,
) -> anyhow::Result<(Services, Vec<Part>)> {
    let database = open(data, "order", &order::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), order::OrderTables));
    let order_reads = Arc::new(order::OrderDatabase(database));
    let (orders, order) = services::order(
        process,
        store,
        order_reads.clone(),
        order_reads.clone(),
        order_settings(config),
        observer,
    );

    let database = open(data, "inventory", &inventory::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), inventory::InventoryTables));
    let inventory_reads = Arc::new(inventory::InventoryDatabase(database));
    let (stock, inventory) = services::inventory(process, store, inventory_reads.clone());

    let database = open(data, "gateway", &gateway::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), gateway::GatewayTables));
    let gateway_reads = Arc::new(gateway::GatewayDatabase(database));
    let policy = GatewayPolicy {
        failure_rate: config.payment.failure_rate,
        latency: config.payment.latency,
    };
    let (gateway, ledger) = services::gateway(process, store, gateway_reads.clone(), policy);

    let database = open(data, "payment", &payment::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), payment::PaymentTables));
    let payment_reads = Arc::new(payment::PaymentDatabase(database));
    let policy = PaymentPolicy { timeout: config.payment.timeout, ..PaymentPolicy::default() };
    let reads = payment_reads.clone();
    let payment = services::payment(process, store, reads, gateway, policy, config.idle_after);

    let database = open(data, "shipping", &shipping::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), shipping::ShippingTables));
    let shipment_reads = Arc::new(shipping::ShippingDatabase(database));
    let policy = ShippingPolicy {
        base_cost_hundredths: config.shipping.base_cost_hundredths,
        failure_rate: config.shipping.failure_rate,
    };
    let shipping = services::shipping(process, store, policy);

    let database = open(data, "notification", &notification::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), notification::NotificationTables));
    let notification_reads = Arc::new(notification::NotificationDatabase(database));
    let (notifications, notification) = services::notification(process, store, messenger);

    let database = open(data, "audit", &audit::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), audit::AuditTables));
    let audit_reads = Arc::new(audit::AuditDatabase(database));
    let audit = services::audit(process, store);

    let services = Services {
        orders,
        order_reads,
        stock,
        inventory_reads,
        payment_reads,
        gateway_reads,
        shipment_reads,
        notifications,
        notification_reads,
        audit_reads,
    };
    // What takes messages starts before what sends them, so that little waits in between.
    Ok((services, vec![audit, notification, shipping, ledger, payment, inventory, order]))
}

fn order_settings(config: &Config) -> OrderSettings {
    OrderSettings {
        policy: SagaPolicy {
            step_timeout: config.order.step_timeout,
            order_timeout: config.order.order_timeout,
            compensation_timeout: config.order.compensation_timeout,
            dispatch_after: config.order.dispatch_after,
        },
        flow: config.order.flow,
        plan: config.order.plan,
        sweep_every: config.order.sweep_interval,
        idle_after: config.idle_after,
    }
}
