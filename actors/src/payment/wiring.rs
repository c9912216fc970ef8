//! Wires the payment service: its rules, its store, and what runs.

use super::{
    CommandHandler, GatewayNotifications, Gateways, LocalPaymentRequests, NotificationLog,
    NotificationReaders, PaymentGateway, PaymentReads, PaymentRequests, PaymentResponder,
    PaymentRules, Payments, RequestResponder, RpcServer, Sweeper, simulated_notifications,
};
use crate::gateway::NotificationListener;
use crate::ports::{Database, Responder};
use crate::runtime::directory::Directory;
use crate::runtime::entity::Entities;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::messages::{RPC_PAYMENT, RPC_PAYMENT_REQUESTS};
use ordermill_domain::payment::{PaymentPolicy, PaymentService, Provider};
use std::sync::Arc;
use std::time::Duration;

/// How often payments whose gateway call was lost are looked for: such a call is lost only with its
/// process, so that this is rarely more than a look.
const PAYMENT_SWEEP: Duration = Duration::from_secs(5);

/// How the payment service goes about its work.
#[derive(Clone)]
pub struct PaymentSettings {
    /// How the gateway is waited for.
    pub policy: PaymentPolicy,
    /// Payments that were told nothing for so long leave memory.
    pub idle_after: Duration,
    /// True when no other process works on the same database.
    pub alone: bool,
    /// The gateways beside the simulated one.
    pub gateways: Gateways,
    /// The gateways that notifications are taken of.
    pub readers: NotificationReaders,
    /// How long notifications are kept.
    pub notifications_kept: Duration,
}

/// What the payment service is reached by.
pub struct PaymentHandles {
    /// Takes notifications of gateways, and what people ask of payments.
    pub requests: Arc<dyn PaymentRequests>,
    /// Takes what the simulated gateway tells by itself.
    pub simulated: NotificationListener,
}

/// The payment service, and what it is reached by.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<PaymentService>>,
    reads: Arc<dyn PaymentReads>,
    log: Arc<dyn NotificationLog>,
    simulated: Arc<dyn PaymentGateway>,
    settings: PaymentSettings,
) -> (PaymentHandles, ChildSpec) {
    let PaymentSettings { policy, idle_after, alone, gateways, readers, notifications_kept } =
        settings;
    let metrics = process.metrics.gateway.clone();
    let gateways = gateways.with(Provider::Simulated, simulated).measured(metrics);
    let rpc = process.rpc.clone();
    let mut builder = process.service("payment", Arc::new(PaymentService), store);
    builder.exclude_from_admission();
    let world = builder.world().clone();
    let rules = PaymentRules {
        reads: reads.clone(),
        gateways,
        policy,
        world: world.clone(),
        tracer: builder.tracer().clone(),
    };
    let kind = Entities::new(Arc::new(rules), builder.journal.clone());
    let payments: Payments = Directory::new(kind, world.clone(), idle_after);
    builder.entities("payments", &payments);
    builder.consume_all(Arc::new(CommandHandler::new(payments.clone())));
    let kept = notifications_kept;
    builder.keeps(Arc::new(GatewayNotifications { database: log, world: world.clone(), kept }));
    let requests: Arc<dyn PaymentRequests> = Arc::new(LocalPaymentRequests {
        payments: payments.clone(),
        reads: reads.clone(),
        journal: builder.journal.clone(),
        readers,
        world: world.clone(),
    });
    let simulated = simulated_notifications::listener(payments.clone(), world.clone());
    if let Some(rpc) = rpc {
        let confirmations = Arc::new(PaymentResponder::new(reads.clone()));
        let decisions = Arc::new(RequestResponder::new(requests.clone()));
        let served: [(_, Arc<dyn Responder>); _] =
            [(RPC_PAYMENT, confirmations), (RPC_PAYMENT_REQUESTS, decisions)];
        for (address, responder) in served {
            let node = builder.tree().part(Some("payment"), "responder", address);
            builder.child(RpcServer::child_spec(node, rpc.clone(), address, responder));
        }
    }
    let node = builder.tree().part(Some("payment"), "sweeper", "payment/sweeper");
    let sweeper = Sweeper { reads, payments, world, alone };
    builder.child(sweeper.child_spec(node, PAYMENT_SWEEP));
    (PaymentHandles { requests, simulated }, builder.finish())
}
