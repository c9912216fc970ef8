//! The gateway publishes nothing, so it has no relay.

use crate::runtime::journal::OutboxListener;
use ordermill_domain::outbox::OutboxRow;

/// In the place of a relay: the gateway answers, and says nothing by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutboxListener;

impl OutboxListener for NoOutboxListener {
    fn offer(&self, _rows: Vec<OutboxRow>) {}
    fn rescan(&self) {}
}
