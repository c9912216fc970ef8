//! The sweeper: takes up orders whose answer is late, whose deadline has passed, whose dispatch is due.
//!
//! The broker is never the only holder of a step. Orders are claimed a few at a time, so that a great
//! many that are overdue are never all in memory.

use super::due::CLAIM;
use super::reads::DueOrders;
use super::rules::{Input, Sagas};
use crate::clock::World;
use crate::faults::{self, Point};
use crate::runtime::admission::LAG_TARGET;
use crate::runtime::lag::Lag;
use crate::runtime::ticket::{Settled, Ticket};
use crate::runtime::tree::Node;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Orders claimed at a time: the bound on how many overdue sagas are brought to life at once.
const CLAIM_MAX: u32 = 500;

/// How long an idempotency key is kept. The API promises 24 hours at least.
const CLAIMS_KEPT: Duration = Duration::from_secs(48 * 3600);

/// How often old idempotency keys are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// What a sweeper is made of.
pub struct SweeperParts {
    /// The database.
    pub due: Arc<dyn DueOrders>,
    /// The sagas.
    pub sagas: Sagas,
    /// How far behind our own work is.
    pub lag: Arc<Lag>,
    /// Time.
    pub world: World,
    /// How often it looks.
    pub every: Duration,
    /// Its entry in the tree.
    pub node: Arc<Node>,
}

/// The actor.
pub struct Sweeper(pub Arc<SweeperParts>);

/// What a sweeper tells itself.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    /// Look for overdue orders.
    Due,
    /// Forget old idempotency keys.
    Forget,
}

impl Actor for Sweeper {
    type Msg = Tick;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Tick>, (): ()) -> Result<(), ActorProcessingErr> {
        self.0.node.running();
        myself.send_interval(FORGET_EVERY, || Tick::Forget);
        myself.cast(Tick::Due)?;
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Tick>,
        tick: Tick,
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.0.node.queued();
        match tick {
            Tick::Due => {
                self.sweep().await;
                myself.send_after(self.0.every, || Tick::Due);
            }
            Tick::Forget => {
                let before = self.0.world.now() - CLAIMS_KEPT;
                if let Err(error) = self.0.due.forget_claims(before).await {
                    tracing::warn!(service = "order", %error, "old idempotency keys are not forgotten yet");
                }
            }
        }
        self.0.node.handled();
        Ok(())
    }
}

impl Sweeper {
    async fn sweep(&self) {
        loop {
            let now = self.0.world.now();
            let claimed = match self.0.due.claim(now, now + CLAIM, CLAIM_MAX).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    return tracing::warn!(service = "order", %error, "overdue orders are not looked at yet");
                }
            };
            if !claimed.is_empty() {
                faults::passes(Point::OrdersClaimed);
            }
            let lag = self.0.lag.as_an_excuse();
            let more = claimed.len() == CLAIM_MAX as usize;
            let waiting: Vec<_> = claimed
                .into_iter()
                .map(|order| {
                    let (ticket, receiver) = Ticket::channel();
                    self.0.sagas.ask(&order, Input::Due { lag }, ticket);
                    receiver
                })
                .collect();
            // The next are claimed when these are decided: that is what bounds the memory.
            let until = Instant::now() + CLAIM;
            for receiver in waiting {
                match timeout_at(until, receiver).await {
                    Ok(Ok(Settled::Retry(cause) | Settled::Dead(cause))) => {
                        tracing::error!(service = "order", %cause, "an overdue order could not be looked at");
                    }
                    Ok(Ok(Settled::Done(_) | Settled::Abandoned) | Err(_)) => {}
                    Err(_) => {
                        tracing::warn!(
                            service = "order",
                            "overdue orders are not decided yet; others have their turn"
                        );
                        return;
                    }
                }
            }
            // What is behind is not helped by more: the others have their turn at the next look.
            if !more || self.0.lag.of_answers() >= LAG_TARGET {
                return;
            }
        }
    }
}
