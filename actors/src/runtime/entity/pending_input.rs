//! An input whose decision waits for the journal. It is answered once, or decided again.

use super::super::journal::MemoryEpoch;
use super::super::tree::Node;
use super::{EntityRules, Msg, Undecided};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;

/// The pause before an input is decided again whose change got no answer from the journal.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// An input whose decision is with the journal. Dropped undecided, it goes back to its entity.
pub(super) struct PendingInput<R: EntityRules> {
    pub(super) myself: ActorRef<Msg<R>>,
    pub(super) node: Arc<Node>,
    pub(super) epoch: Arc<MemoryEpoch>,
    pub(super) undecided: Option<Undecided<R>>,
    /// The journal has answered: decided again, it gets on.
    pub(super) refused: bool,
}

impl<R: EntityRules> PendingInput<R> {
    /// Tells the entity how it went.
    pub(super) fn tell(&self, message: Msg<R>) {
        self.node.queued();
        if self.myself.cast(message).is_err() {
            self.node.unqueued();
        }
    }
}

impl<R: EntityRules> Drop for PendingInput<R> {
    fn drop(&mut self) {
        let Some(undecided) = self.undecided.take() else { return };
        self.epoch.invalidate();
        // An entity that is gone drops the ticket, which says so to its asker.
        let again = Msg::Again(self.epoch.clone(), Some(undecided));
        if self.refused {
            return self.tell(again);
        }
        // Nobody knows: the journal has failed. It is not asked again before it can be there.
        let (myself, node) = (self.myself.clone(), self.node.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            node.queued();
            runtime.spawn(async move {
                tokio::time::sleep(AGAIN_AFTER).await;
                if myself.cast(again).is_err() {
                    node.unqueued();
                }
            });
        }
    }
}
