//! Wires the audit service: its rules, its store, and what runs.

use crate::ports::Database;
use crate::runtime::feed::FeedHandler;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::audit::AuditService;
use ordermill_domain::messages::Queue;
use std::sync::Arc;

/// The audit service.
pub fn wire(process: &mut Process, store: Arc<dyn Database<AuditService>>) -> ChildSpec {
    let mut builder = process.service("audit", Arc::new(AuditService), store);
    let handler = FeedHandler::new(builder.journal.clone());
    builder.consume(Queue::AuditEvents, Arc::new(handler));
    builder.finish()
}
