//! The services, wired: a service is its rules, its store, and a few lines here.
//!
//! Which databases and which broker stand behind the ports is nobody's business here: the process of
//! a server, a test and a simulation are wired by the same functions.

use crate::gateway::{GatewayHandle, GatewayReads};
use crate::inventory::{self, AdjustmentKeys, InventoryReads, Movements, SkuKind, Stock};
use crate::notification::{ChannelHandler, Messengers, Notifications};
use crate::order::handler::ReplyHandler;
use crate::order::retention::Claims;
use crate::order::sweeper::Sweeper;
use crate::order::{DueOrders, OrderReads, Orders, SagaObserver, SagaRules};
use crate::payment::{self, Gateway, PaymentReads, PaymentRules, Payments};
use crate::ports::Database;
use crate::runtime::consumer::Handler;
use crate::runtime::directory::Directory;
use crate::runtime::entity::Entities;
use crate::runtime::feed::FeedHandler;
use crate::runtime::service_builder::{Process, ServiceBuilder};
use crate::runtime::supervisor::ChildSpec;
use crate::shipping;
use ordermill_domain::audit::AuditService;
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway};
use ordermill_domain::inventory::Inventory;
use ordermill_domain::messages::{Flow, Plan, Queue, RPC_PAYMENT};
use ordermill_domain::notification::{Channel, NotificationPolicy, NotificationService};
use ordermill_domain::order::{Order, SagaPolicy};
use ordermill_domain::payment::{PaymentPolicy, PaymentService};
use ordermill_domain::service::Service;
use ordermill_domain::shipping::{Shipping, ShippingPolicy};
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
fn consume_all<S: Service>(builder: &mut ServiceBuilder<'_, S>, handler: Arc<dyn Handler>) {
    for queue in Queue::ALL.iter().filter(|queue| queue.service() == S::NAME) {
        builder.consume(*queue, handler.clone());
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
) -> (Orders, ChildSpec) {
    let lag = process.lag.clone();
    let mut builder = process.service("order", Arc::new(Order), store);
    let world = builder.world().clone();
    let OrderSettings { policy, flow, plan, sweep_every, idle_after } = settings;
    let rules = SagaRules { reads, policy, world: world.clone(), observer };
    let kind = Entities::new(Arc::new(rules), builder.journal.clone());
    let sagas = Directory::new(kind, world.clone(), idle_after);
    builder.entities("sagas", &sagas);
    consume_all(&mut builder, Arc::new(ReplyHandler(sagas.clone())));
    let node = builder.tree().part(Some("order"), "sweeper", "order/sweeper");
    builder.keeps(Arc::new(Claims { database: due.clone(), world: world.clone() }));
    let sweeper = Sweeper { due, sagas: sagas.clone(), lag, world: world.clone() };
    builder.child(sweeper.child_spec(node, sweep_every));
    (Orders::new(sagas, world, flow, plan), builder.finish())
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
) -> (Stock, ChildSpec) {
    let mut builder = process.service("inventory", Arc::new(Inventory), store);
    let world = builder.world().clone();
    builder.keeps(Arc::new(AdjustmentKeys { database: reads.clone(), world: world.clone() }));
    if let Some(kept) = settings.movements_kept {
        let database = reads.clone();
        builder.keeps(Arc::new(Movements { database, world: world.clone(), kept }));
    }
    let kind = SkuKind::new(reads, builder.journal.clone());
    let skus = Directory::new(kind, world.clone(), inventory::IDLE_AFTER);
    builder.entities("skus", &skus);
    consume_all(&mut builder, Arc::new(inventory::CommandHandler::new(skus.clone())));
    (Stock::new(skus, world), builder.finish())
}

/// The simulated gateway and its ledger.
pub fn gateway(
    process: &mut Process,
    store: Arc<dyn Database<SimulatedGateway>>,
    reads: Arc<dyn GatewayReads>,
    policy: GatewayPolicy,
) -> (Arc<dyn Gateway>, ChildSpec) {
    let mut builder = process.service("gateway", Arc::new(SimulatedGateway { policy }), store);
    builder.exclude_from_admission();
    let handle = GatewayHandle::new(builder.journal.clone(), reads, policy);
    (Arc::new(handle), builder.finish())
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
) -> ChildSpec {
    let PaymentSettings { policy, idle_after, alone } = settings;
    let rpc = process.rpc.clone();
    let mut builder = process.service("payment", Arc::new(PaymentService), store);
    builder.exclude_from_admission();
    if let Some(rpc) = rpc {
        let node = builder.tree().part(Some("payment"), "responder", RPC_PAYMENT);
        builder.child(payment::ConfirmationServer::child_spec(node, rpc, reads.clone()));
    }
    let world = builder.world().clone();
    let rules = PaymentRules { reads: reads.clone(), gateway, policy, world: world.clone() };
    let kind = Entities::new(Arc::new(rules), builder.journal.clone());
    let payments: Payments = Directory::new(kind, world.clone(), idle_after);
    builder.entities("payments", &payments);
    consume_all(&mut builder, Arc::new(payment::CommandHandler::new(payments.clone())));
    let node = builder.tree().part(Some("payment"), "sweeper", "payment/sweeper");
    let sweeper = payment::Sweeper { reads, payments, world, alone };
    builder.child(sweeper.child_spec(node, PAYMENT_SWEEP));
    builder.finish()
}

/// The shipping service.
pub fn shipping(
    process: &mut Process,
    store: Arc<dyn Database<Shipping>>,
    policy: ShippingPolicy,
) -> ChildSpec {
    let mut builder = process.service("shipping", Arc::new(Shipping { policy }), store);
    let handler = shipping::CommandHandler::new(builder.journal.clone());
    consume_all(&mut builder, Arc::new(handler));
    builder.finish()
}

/// The notification service; a channel's messages go out when there is somebody to send them.
pub fn notification(
    process: &mut Process,
    store: Arc<dyn Database<NotificationService>>,
    messengers: Messengers,
) -> (Notifications, ChildSpec) {
    let Messengers { email, sms } = &messengers;
    let policy = NotificationPolicy { email: email.is_some(), sms: sms.is_some() };
    let mut builder =
        process.service("notification", Arc::new(NotificationService { policy }), store);
    let journal = builder.journal.clone();
    builder.consume(Queue::NotificationOrders, Arc::new(FeedHandler::new(journal.clone())));
    for &channel in Channel::ALL {
        if let Some(messenger) = messengers.of(channel) {
            builder.consume(channel.queue(), Arc::new(ChannelHandler::new(messenger.clone())));
        }
    }
    (Notifications::new(journal), builder.finish())
}

/// The audit service.
pub fn audit(process: &mut Process, store: Arc<dyn Database<AuditService>>) -> ChildSpec {
    let mut builder = process.service("audit", Arc::new(AuditService), store);
    let handler = FeedHandler::new(builder.journal.clone());
    builder.consume(Queue::AuditEvents, Arc::new(handler));
    builder.finish()
}
