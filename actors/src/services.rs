//! The services, wired: a service is its rules, its store, and a few lines here.
//!
//! Which databases and which broker stand behind the ports is nobody's business here: the process of
//! a server, a test and a simulation are wired by the same functions.

use crate::audit::AuditService;
use crate::gateway::{GatewayHandle, GatewayPolicy, GatewayReads, SimulatedGateway};
use crate::inventory::{
    self, AdjustmentKeys, Inventory, InventoryReads, Movements, SkuSpecies, Stock,
};
use crate::messages::{Flow, Plan, Queue, RPC_PAYMENT};
use crate::notification::{
    Channel, ChannelHandler, Messengers, NotificationPolicy, NotificationService, Notifications,
};
use crate::order::handler::ReplyHandler;
use crate::order::retention::Claims;
use crate::order::sweeper::Sweeper;
use crate::order::{DueOrders, Order, OrderReads, Orders, SagaObserver, SagaPolicy, SagaRules};
use crate::payment::{
    self, Gateway, PaymentPolicy, PaymentReads, PaymentRules, PaymentService, Payments,
};
use crate::ports::Database;
use crate::runtime::consumer::Handler;
use crate::runtime::directory::Directory;
use crate::runtime::entity::Entities;
use crate::runtime::feed::FeedHandler;
use crate::runtime::service::Service;
use crate::runtime::stations::{Process, Stations};
use crate::runtime::supervisor::Part;
use crate::shipping::{self, Shipping, ShippingPolicy};
use std::sync::Arc;
use std::time::Duration;

/// How the order service goes about its work.
#[derive(Clone, Debug)]
pub struct OrderSettings {
    /// How patient sagas are.
    pub policy: SagaPolicy,
    /// How new orders' steps find each other.
    pub flow: Flow,
    /// In which order new orders' steps are taken.
    pub plan: Plan,
    /// How often overdue orders are looked for.
    pub sweep_every: Duration,
    /// Sagas that were told nothing for so long leave memory.
    pub idle_after: Duration,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            policy: SagaPolicy::default(),
            flow: Flow::default(),
            plan: Plan::default(),
            sweep_every: Duration::from_secs(1),
            idle_after: Duration::from_secs(30),
        }
    }
}

/// Consumes every queue of the service, those of both flows: the flow is the order's, not the process's.
fn consume_all<S: Service>(stations: &mut Stations<'_, S>, handler: Arc<dyn Handler>) {
    for queue in Queue::ALL.iter().filter(|queue| queue.service() == S::NAME) {
        stations.consume(*queue, handler.clone());
    }
}

/// The order service.
pub fn order(
    process: &mut Process,
    store: Arc<dyn Database<Order>>,
    reads: Arc<dyn OrderReads>,
    due: Arc<dyn DueOrders>,
    settings: OrderSettings,
    observer: Arc<dyn SagaObserver>,
) -> (Orders, Part) {
    let lag = process.lag.clone();
    let mut stations = process.service("order", Arc::new(Order), store);
    let world = stations.world().clone();
    let OrderSettings { policy, flow, plan, sweep_every, idle_after } = settings;
    let rules = SagaRules { reads, policy, world: world.clone(), observer };
    let species = Entities::new(Arc::new(rules), stations.journal.clone());
    let sagas = Directory::new(species, world.clone(), idle_after);
    stations.entities("sagas", &sagas);
    consume_all(&mut stations, Arc::new(ReplyHandler(sagas.clone())));
    let node = stations.tree().part(Some("order"), "sweeper", "order/sweeper");
    stations.keeps(Arc::new(Claims { database: due.clone(), world: world.clone() }));
    let sweeper = Sweeper { due, sagas: sagas.clone(), lag, world: world.clone() };
    stations.part(sweeper.part(node, sweep_every));
    (Orders::new(sagas, world, flow, plan), stations.finish())
}

/// How the inventory service goes about its work.
#[derive(Clone, Copy, Debug, Default)]
pub struct InventorySettings {
    /// How long a stock movement is kept; none: for good.
    pub movements_kept: Option<Duration>,
}

/// The inventory service.
pub fn inventory(
    process: &mut Process,
    store: Arc<dyn Database<Inventory>>,
    reads: Arc<dyn InventoryReads>,
    settings: InventorySettings,
) -> (Stock, Part) {
    let mut stations = process.service("inventory", Arc::new(Inventory), store);
    let world = stations.world().clone();
    stations.keeps(Arc::new(AdjustmentKeys { database: reads.clone(), world: world.clone() }));
    if let Some(kept) = settings.movements_kept {
        let database = reads.clone();
        stations.keeps(Arc::new(Movements { database, world: world.clone(), kept }));
    }
    let species = SkuSpecies::new(reads, stations.journal.clone());
    let skus = Directory::new(species, world.clone(), inventory::IDLE_AFTER);
    stations.entities("skus", &skus);
    consume_all(&mut stations, Arc::new(inventory::CommandHandler::new(skus.clone())));
    (Stock::new(skus, world), stations.finish())
}

/// The simulated gateway and its ledger.
pub fn gateway(
    process: &mut Process,
    store: Arc<dyn Database<SimulatedGateway>>,
    reads: Arc<dyn GatewayReads>,
    policy: GatewayPolicy,
) -> (Arc<dyn Gateway>, Part) {
    let mut stations = process.service("gateway", Arc::new(SimulatedGateway { policy }), store);
    stations.aside();
    let handle = GatewayHandle::new(stations.journal.clone(), reads, policy);
    (Arc::new(handle), stations.finish())
}

/// How often payments whose gateway call was lost are looked for: such a call is lost only with its
/// process, so that this is rarely more than a look.
const PAYMENT_SWEEP: Duration = Duration::from_secs(5);

/// How the payment service goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct PaymentSettings {
    /// How the gateway is waited for.
    pub policy: PaymentPolicy,
    /// Payments that were told nothing for so long leave memory.
    pub idle_after: Duration,
    /// True when no other process works on the same database.
    pub alone: bool,
}

/// The payment service.
pub fn payment(
    process: &mut Process,
    store: Arc<dyn Database<PaymentService>>,
    reads: Arc<dyn PaymentReads>,
    gateway: Arc<dyn Gateway>,
    settings: PaymentSettings,
) -> Part {
    let PaymentSettings { policy, idle_after, alone } = settings;
    let rpc = process.rpc.clone();
    let mut stations = process.service("payment", Arc::new(PaymentService), store);
    stations.aside();
    if let Some(rpc) = rpc {
        let node = stations.tree().part(Some("payment"), "responder", RPC_PAYMENT);
        stations.part(payment::ConfirmationDesk::part(node, rpc, reads.clone()));
    }
    let world = stations.world().clone();
    let rules = PaymentRules { reads: reads.clone(), gateway, policy, world: world.clone() };
    let species = Entities::new(Arc::new(rules), stations.journal.clone());
    let payments: Payments = Directory::new(species, world.clone(), idle_after);
    stations.entities("payments", &payments);
    consume_all(&mut stations, Arc::new(payment::CommandHandler::new(payments.clone())));
    let node = stations.tree().part(Some("payment"), "sweeper", "payment/sweeper");
    let sweeper = payment::Sweeper { reads, payments, world, alone };
    stations.part(sweeper.part(node, PAYMENT_SWEEP));
    stations.finish()
}

/// The shipping service.
pub fn shipping(
    process: &mut Process,
    store: Arc<dyn Database<Shipping>>,
    policy: ShippingPolicy,
) -> Part {
    let mut stations = process.service("shipping", Arc::new(Shipping { policy }), store);
    let handler = shipping::CommandHandler::new(stations.journal.clone());
    consume_all(&mut stations, Arc::new(handler));
    stations.finish()
}

/// The notification service; a channel's messages go out when there is somebody to send them.
pub fn notification(
    process: &mut Process,
    store: Arc<dyn Database<NotificationService>>,
    messengers: Messengers,
) -> (Notifications, Part) {
    let Messengers { email, sms } = &messengers;
    let policy = NotificationPolicy { email: email.is_some(), sms: sms.is_some() };
    let mut stations =
        process.service("notification", Arc::new(NotificationService { policy }), store);
    let journal = stations.journal.clone();
    stations.consume(Queue::NotificationOrders, Arc::new(FeedHandler::new(journal.clone())));
    for channel in Channel::ALL {
        if let Some(messenger) = messengers.of(channel) {
            stations.consume(channel.queue(), Arc::new(ChannelHandler::new(messenger.clone())));
        }
    }
    (Notifications::new(journal), stations.finish())
}

/// The audit service.
pub fn audit(process: &mut Process, store: Arc<dyn Database<AuditService>>) -> Part {
    let mut stations = process.service("audit", Arc::new(AuditService), store);
    let handler = FeedHandler::new(stations.journal.clone());
    stations.consume(Queue::AuditEvents, Arc::new(handler));
    stations.finish()
}
