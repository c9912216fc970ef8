//! The audit service, as its journal and its store see it.

use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::messages::Message;
use crate::service::{BatchDecision, FEED_GATHER, Outcome, Service};
use std::sync::Arc;
use std::time::Duration;

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditService;

/// Events to keep.
#[derive(Clone, Debug)]
pub struct Change(pub Vec<Arc<Message>>);

impl Service for AuditService {
    const NAME: ServiceName = ServiceName::Audit;
    const GATHER: Duration = FEED_GATHER;
    type Change = Change;
    /// Nothing is read: what is there already is passed over when it is written.
    type Keys = ();
    type Rows = ();
    /// Events to append, in the order in which they came. One that is there already, by (order,
    /// name, number), is passed over: the only service where that is right, since nothing is said
    /// of it.
    type Writes = Vec<Arc<Message>>;
    type Answer = ();

    fn keys(_: &[Change]) {}

    fn decide_batch(
        &self,
        (): (),
        changes: &[Change],
        _: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        // What is published for audit is without pages already; what others publish may not be.
        let events = changes.iter().flat_map(|change| change.0.iter().map(Message::without_page));
        BatchDecision {
            writes: events.collect(),
            outcomes: changes.iter().map(|_| Outcome::Done(())).collect(),
            messages: Vec::new(),
        }
    }
}
