//! The six services and the simulated gateway, each wired to its own SQLite file.
//!
//! A service is its rules (in `actors`), its tables (in `stores`) and a few lines here.

use super::stations::Process;
use crate::config::{Config, OrderConfig};
use anyhow::Context;
use ordermill_actors::gateway::{GatewayHandle, GatewayPolicy, GatewayReads, SimulatedGateway};
use ordermill_actors::inventory::{self, Inventory, InventoryReads, SkuSpecies, Stock};
use ordermill_actors::messages::Queue;
use ordermill_actors::order::handler::ReplyHandler;
use ordermill_actors::order::sweeper::{Sweeper, SweeperParts};
use ordermill_actors::order::{
    DueOrders, Order, OrderReads, Orders, SagaObserver, SagaPolicy, SagaRules,
};
use ordermill_actors::payment::{
    self, Gateway, PaymentPolicy, PaymentReads, PaymentRules, PaymentService,
};
use ordermill_actors::runtime::directory::Directory;
use ordermill_actors::runtime::entity::Entities;
use ordermill_actors::runtime::supervisor::Part;
use ordermill_sqlite::{DataDir, Database, SqliteStore, gateway, inventory as stock, order};
use sqlx::migrate::Migrator;
use std::sync::Arc;

/// How often payments whose gateway call was lost are looked for: such a call is lost only with its
/// process, so that this is rarely more than a look.
const PAYMENT_SWEEP: std::time::Duration = std::time::Duration::from_secs(5);

async fn open(data: &DataDir, name: &str, migrations: &Migrator) -> anyhow::Result<Database> {
    Database::open(data, name, migrations)
        .await
        .with_context(|| format!("the {name} service's database"))
}

fn saga_policy(config: &OrderConfig) -> SagaPolicy {
    SagaPolicy {
        step_timeout: config.step_timeout,
        order_timeout: config.order_timeout,
        compensation_timeout: config.compensation_timeout,
        dispatch_after: config.dispatch_after,
    }
}

/// The order service: what the API asks, what it reads, and its part of the process.
pub async fn order(
    process: &mut Process,
    data: &DataDir,
    config: &Config,
    observer: Arc<dyn SagaObserver>,
) -> anyhow::Result<(Orders, Arc<dyn OrderReads>, Part)> {
    let database = open(data, "order", &order::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), order::OrderTables));
    let database = Arc::new(order::OrderDatabase(database));
    let reads: Arc<dyn OrderReads> = database.clone();
    let mut stations = process.service::<Order, _>("order", Arc::new(Order), store);
    let world = stations.world().clone();
    let rules = SagaRules {
        reads: reads.clone(),
        policy: saga_policy(&config.order),
        world: world.clone(),
        observer,
    };
    let species = Entities::new(Arc::new(rules), stations.journal.clone());
    let sagas = Directory::new(species, world.clone(), config.idle_after);
    stations.entities("sagas", &sagas);
    stations.consume(Queue::OrderEvents, Arc::new(ReplyHandler(sagas.clone())));
    let node = stations.tree().part(Some("order"), "sweeper", "order/sweeper");
    let due: Arc<dyn DueOrders> = database;
    let sweeper = Arc::new(SweeperParts {
        due,
        sagas: sagas.clone(),
        world: world.clone(),
        every: config.order.sweep_interval,
        node: node.clone(),
    });
    stations.part(Part::new(node, move || Sweeper(sweeper.clone())));
    let orders = Orders::new(sagas, world, config.order.flow, config.order.plan);
    Ok((orders, reads, stations.finish()))
}

/// The inventory service.
pub async fn inventory(
    process: &mut Process,
    data: &DataDir,
) -> anyhow::Result<(Stock, Arc<dyn InventoryReads>, Part)> {
    let database = open(data, "inventory", &stock::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), stock::InventoryTables));
    let reads: Arc<dyn InventoryReads> = Arc::new(stock::InventoryDatabase(database));
    let mut stations = process.service::<Inventory, _>("inventory", Arc::new(Inventory), store);
    let species = SkuSpecies::new(reads.clone(), stations.journal.clone());
    let skus = Directory::new(species, stations.world().clone(), inventory::IDLE_AFTER);
    stations.entities("skus", &skus);
    let handler = Arc::new(inventory::CommandHandler::new(skus.clone()));
    stations.consume(Queue::InventoryCommands, handler);
    Ok((Stock::new(skus), reads, stations.finish()))
}

/// The simulated gateway: its ledger, and how payment asks it.
pub async fn gateway(
    process: &mut Process,
    data: &DataDir,
    config: &Config,
) -> anyhow::Result<(Arc<dyn Gateway>, Arc<dyn GatewayReads>, Part)> {
    let database = open(data, "gateway", &gateway::MIGRATIONS).await?;
    let store = Arc::new(SqliteStore::new(database.clone(), gateway::GatewayTables));
    let reads: Arc<dyn GatewayReads> = Arc::new(gateway::GatewayDatabase(database));
    let policy = GatewayPolicy {
        failure_rate: config.payment.failure_rate,
        latency: config.payment.latency,
    };
    let service = Arc::new(SimulatedGateway { policy: policy.clone() });
    let mut stations = process.service("gateway", service, store);
    stations.aside();
    let handle = GatewayHandle::new(stations.journal.clone(), reads.clone(), policy);
    Ok((Arc::new(handle), reads, stations.finish()))
}

/// The payment service.
pub async fn payment(
    process: &mut Process,
    data: &DataDir,
    config: &Config,
    gateway: Arc<dyn Gateway>,
) -> anyhow::Result<(Arc<dyn PaymentReads>, Part)> {
    let database = open(data, "payment", &ordermill_sqlite::payment::MIGRATIONS).await?;
    let tables = ordermill_sqlite::payment::PaymentTables;
    let store = Arc::new(SqliteStore::new(database.clone(), tables));
    let reads: Arc<dyn PaymentReads> =
        Arc::new(ordermill_sqlite::payment::PaymentDatabase(database));
    let service = Arc::new(PaymentService);
    let mut stations = process.service("payment", service, store);
    stations.aside();
    let world = stations.world().clone();
    let rules = PaymentRules {
        reads: reads.clone(),
        gateway,
        policy: PaymentPolicy { timeout: config.payment.timeout, ..PaymentPolicy::default() },
        world: world.clone(),
    };
    let species = Entities::new(Arc::new(rules), stations.journal.clone());
    let payments = Directory::new(species, world.clone(), config.idle_after);
    stations.entities("payments", &payments);
    let handler = Arc::new(payment::CommandHandler::new(payments.clone()));
    stations.consume(Queue::PaymentCommands, handler);
    let node = stations.tree().part(Some("payment"), "sweeper", "payment/sweeper");
    let sweeper = Arc::new(payment::SweeperParts {
        reads: reads.clone(),
        payments,
        world,
        every: PAYMENT_SWEEP,
        alone: true,
        node: node.clone(),
    });
    stations.part(Part::new(node, move || payment::Sweeper(sweeper.clone())));
    Ok((reads, stations.finish()))
}
