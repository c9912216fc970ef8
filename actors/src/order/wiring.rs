//! Wires the order service: its rules, its store, and what runs.

use super::handler::ReplyHandler;
use super::retention::Claims;
use super::sweeper::Sweeper;
use super::{DueOrders, OrderReads, Orders, SagaRules};
use crate::ports::Database;
use crate::runtime::directory::Directory;
use crate::runtime::entity::Entities;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::order::{Order, SagaPolicy};
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

/// The order service.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<Order>>,
    reads: Arc<dyn OrderReads>,
    due: Arc<dyn DueOrders>,
    settings: OrderSettings,
) -> (Orders, ChildSpec) {
    let lag = process.lag.clone();
    let mut builder = process.service("order", Arc::new(Order), store);
    let world = builder.world().clone();
    let OrderSettings { policy, flow, plan, sweep_every, idle_after } = settings;
    let (metrics, tracer) = (builder.metrics().order.clone(), builder.tracer().clone());
    let rules = SagaRules { reads, policy, world: world.clone(), metrics, tracer };
    let kind = Entities::new(Arc::new(rules), builder.journal.clone());
    let sagas = Directory::new(kind, world.clone(), idle_after);
    builder.entities("sagas", &sagas);
    builder.consume_all(Arc::new(ReplyHandler(sagas.clone())));
    let node = builder.tree().part(Some("order"), "sweeper", "order/sweeper");
    builder.keeps(Arc::new(Claims { database: due.clone(), world: world.clone() }));
    let sweeper = Sweeper { due, sagas: sagas.clone(), lag, world: world.clone() };
    builder.child(sweeper.child_spec(node, sweep_every));
    (Orders::new(sagas, world, flow, plan), builder.finish())
}
