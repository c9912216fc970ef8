//! Wires the payment service: its rules, its store, and what runs.

use super::{
    CommandHandler, ConfirmationServer, PaymentGateway, PaymentReads, PaymentRules, Payments,
    Sweeper,
};
use crate::ports::Database;
use crate::runtime::directory::Directory;
use crate::runtime::entity::Entities;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::messages::RPC_PAYMENT;
use ordermill_domain::payment::{PaymentPolicy, PaymentService};
use std::sync::Arc;
use std::time::Duration;

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
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<PaymentService>>,
    reads: Arc<dyn PaymentReads>,
    gateway: Arc<dyn PaymentGateway>,
    settings: PaymentSettings,
) -> ChildSpec {
    let PaymentSettings { policy, idle_after, alone } = settings;
    let rpc = process.rpc.clone();
    let mut builder = process.service("payment", Arc::new(PaymentService), store);
    builder.exclude_from_admission();
    if let Some(rpc) = rpc {
        let node = builder.tree().part(Some("payment"), "responder", RPC_PAYMENT);
        builder.child(ConfirmationServer::child_spec(node, rpc, reads.clone()));
    }
    let world = builder.world().clone();
    let rules = PaymentRules { reads: reads.clone(), gateway, policy, world: world.clone() };
    let kind = Entities::new(Arc::new(rules), builder.journal.clone());
    let payments: Payments = Directory::new(kind, world.clone(), idle_after);
    builder.entities("payments", &payments);
    builder.consume_all(Arc::new(CommandHandler::new(payments.clone())));
    let node = builder.tree().part(Some("payment"), "sweeper", "payment/sweeper");
    let sweeper = Sweeper { reads, payments, world, alone };
    builder.child(sweeper.child_spec(node, PAYMENT_SWEEP));
    builder.finish()
}
