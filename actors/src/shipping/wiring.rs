//! Wires the shipping service: its rules, its store, and what runs.

use super::CommandHandler;
use crate::ports::Database;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::shipping::{Shipping, ShippingPolicy};
use std::sync::Arc;

/// The shipping service.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<Shipping>>,
    policy: ShippingPolicy,
) -> ChildSpec {
    let mut builder = process.service("shipping", Arc::new(Shipping { policy }), store);
    let handler = CommandHandler::new(builder.journal.clone());
    builder.consume_all(Arc::new(handler));
    builder.finish()
}
