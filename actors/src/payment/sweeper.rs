//! The sweeper: takes up payments whose gateway call was lost with the process that made it.

use super::decide::Input;
use super::entity::Payments;
use super::reads::PaymentReads;
use crate::clock::{Timestamp, World};
use crate::faults::{self, Point};
use crate::ports::ReadError;
use crate::runtime::ticket::Ticket;
use crate::runtime::tree::Node;
use chrono::{DateTime, Utc};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;

/// Payments that one look into the database brings.
const PAGE_ROWS: u32 = 500;

/// How often it is looked whether those that were woken have left memory.
const CROWD_LOOK: Duration = Duration::from_millis(100);

/// What a sweeper is made of.
pub struct SweeperParts {
    /// The database.
    pub reads: Arc<dyn PaymentReads>,
    /// The payments.
    pub payments: Payments,
    /// Time.
    pub world: World,
    /// How often it looks.
    pub every: Duration,
    /// True when no other process works on the same database: then no call is under way when this one
    /// starts, and every payment that waits for one is taken up at once.
    pub alone: bool,
    /// Its entry in the tree.
    pub node: Arc<Node>,
}

/// The actor.
pub struct Sweeper(pub Arc<SweeperParts>);

/// What a sweeper tells itself: look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// For the first time since it was started.
    first: bool,
}

impl Actor for Sweeper {
    type Msg = Look;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Look>, (): ()) -> Result<(), ActorProcessingErr> {
        self.0.node.running();
        myself.cast(Look { first: true })?;
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Look>,
        Look { first }: Look,
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let SweeperParts { reads, payments, world, every, alone, node } = &*self.0;
        node.queued();
        let everything = first && *alone;
        let before = if everything { DateTime::<Utc>::MAX_UTC } else { world.now() };
        let swept = wake_due(&**reads, payments, before).await;
        match &swept {
            Ok(0) => {}
            Ok(woken) => {
                tracing::info!(service = "payment", woken, "unanswered payments are taken up")
            }
            Err(error) => {
                tracing::warn!(service = "payment", %error, "unanswered payments are not looked at yet");
            }
        }
        let first = first && swept.is_err();
        myself.send_after(*every, move || Look { first });
        node.handled();
        Ok(())
    }
}

/// Wakes every payment that somebody must see to by `before`, and says how many. Two processes that
/// wake the same payment ask the gateway twice under one key, which is once.
async fn wake_due(
    reads: &dyn PaymentReads,
    payments: &Payments,
    before: Timestamp,
) -> Result<usize, ReadError> {
    let mut woken = 0;
    let mut after = None;
    loop {
        let page = reads.due(before, after, PAGE_ROWS).await?;
        woken += page.len();
        if !page.is_empty() {
            faults::passes(Point::PaymentsFound);
        }
        after = page.last().copied();
        let full = page.len() == PAGE_ROWS as usize;
        let decided: Vec<_> = page
            .into_iter()
            .map(|order_id| {
                let (ticket, decided) = Ticket::channel();
                payments.ask(&order_id, Input::Wake, ticket);
                decided
            })
            .collect();
        // The next are looked up when these are committed: the gateway is not asked all at once.
        for decided in decided {
            // One that could not be decided is still due at the next look.
            let _ = decided.await;
        }
        if !full {
            return Ok(woken);
        }
        // A gateway that does not answer keeps those that wait for it; they leave before long.
        while payments.is_crowded() {
            tokio::time::sleep(CROWD_LOOK).await;
        }
    }
}
