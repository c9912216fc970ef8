//! Wires the simulated gateway: its rules, its store, and what runs.

use super::{GatewayHandle, GatewayReads};
use crate::ports::Database;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway};
use std::sync::Arc;

/// The simulated gateway and its ledger.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<SimulatedGateway>>,
    reads: Arc<dyn GatewayReads>,
    policy: GatewayPolicy,
) -> (GatewayHandle, ChildSpec) {
    let rules = SimulatedGateway { policy: policy.clone() };
    let mut builder = process.service("gateway", Arc::new(rules), store);
    builder.exclude_from_admission();
    let clock = builder.world().clock.clone();
    let handle = GatewayHandle::new(builder.journal.clone(), reads, policy, clock);
    (handle, builder.finish())
}
