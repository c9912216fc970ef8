//! How audit is fed with events.

use crate::runtime::feed::FeedService;
use ordermill_domain::audit::{AuditService, Change};
use ordermill_domain::messages::Message;
use std::sync::Arc;

impl FeedService for AuditService {
    fn take(events: Vec<Arc<Message>>) -> Change {
        Change(events)
    }
}
