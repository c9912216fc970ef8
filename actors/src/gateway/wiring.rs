//! Wires the simulated gateway: its rules, its store, and what runs.

use super::{GatewayHandle, GatewayReads};
use crate::payment::Gateway;
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
) -> (Arc<dyn Gateway>, ChildSpec) {
    let mut builder = process.service("gateway", Arc::new(SimulatedGateway { policy }), store);
    builder.exclude_from_admission();
    let handle = GatewayHandle::new(builder.journal.clone(), reads, policy);
    (Arc::new(handle), builder.finish())
}
