//! The inventory service, as its journal and its store see it.

use super::change::{Change, InventoryAnswer, Keys, Rows, Writes};
use super::decide_batch;
use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::service::{BatchDecision, Service};

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inventory;

impl Service for Inventory {
    const NAME: ServiceName = ServiceName::Inventory;
    type Change = Change;
    type Keys = Keys;
    type Rows = Rows;
    type Writes = Writes;
    type Answer = InventoryAnswer;

    fn keys(changes: &[Change]) -> Keys {
        Keys::of(changes)
    }

    fn decide_batch(
        &self,
        rows: Rows,
        changes: &[Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        decide_batch::decide_batch(rows, changes, at)
    }
}
