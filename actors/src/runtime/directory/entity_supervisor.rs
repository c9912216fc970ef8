//! The entity supervisor: supervises a directory's entities, tells it of those that ended, and has idle ones leave.

use super::{Directory, EntityKind, Parent};
use crate::runtime::tree::Node;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::sync::Arc;
use std::time::Duration;

/// Idle entities are looked for this often.
const RETIRE_EVERY: Duration = Duration::from_secs(5);

/// Supervises the entities of a directory.
pub struct EntitySupervisor<S: EntityKind> {
    directory: Directory<S>,
    node: Arc<Node>,
}

impl<S: EntityKind> EntitySupervisor<S> {
    /// A supervisor for a directory.
    pub fn new(directory: Directory<S>, node: Arc<Node>) -> Self {
        Self { directory, node }
    }
}

impl<S: EntityKind> Actor for EntitySupervisor<S> {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        let parent = Parent { supervisor: myself.get_cell(), node: self.node.clone() };
        self.directory.open(Some(parent));
        self.node.running();
        myself.send_interval(RETIRE_EVERY, || ());
        Ok(())
    }

    async fn handle(
        &self,
        _myself: ActorRef<()>,
        (): (),
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.directory.retire_idle();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                self.directory.ended(cell.get_id(), Some(error.to_string()));
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                self.directory.ended(cell.get_id(), reason);
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<()>, _: &mut ()) -> Result<(), ActorProcessingErr> {
        self.directory.open(None);
        Ok(())
    }
}
