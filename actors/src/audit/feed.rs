//! How audit is fed with events.

use super::service::{AuditService, Change};
use crate::messages::Message;
use crate::runtime::feed::FeedService;
use std::sync::Arc;

impl FeedService for AuditService {
    fn take(events: Vec<Arc<Message>>) -> Change {
        Change(events)
    }
}
