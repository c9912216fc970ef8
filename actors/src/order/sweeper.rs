//! The sweeper: takes up orders whose answer is late, whose deadline has passed, whose dispatch is due.
//!
//! The broker is never the only holder of a step. Orders are claimed a few at a time, so that a great
//! many that are overdue are never all in memory.

use super::reads::DueOrders;
use super::rules::{SagaInput, Sagas};
use crate::faults::{self, Point};
use crate::runtime::admission::LAG_TARGET;
use crate::runtime::lag::Lag;
use crate::runtime::periodic_task::PeriodicTask;
use crate::runtime::supervisor::ChildSpec;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use crate::runtime::tree::Node;
use ordermill_domain::clock::World;
use ordermill_domain::order::deadlines::CLAIM;
use ordermill_domain::order::decide::DecideInput;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Orders claimed at a time: the bound on how many overdue sagas are brought to life at once.
const CLAIM_MAX: u32 = 500;

/// Takes up overdue orders.
pub struct Sweeper {
    /// The database.
    pub due: Arc<dyn DueOrders>,
    /// The sagas.
    pub sagas: Sagas,
    /// How far behind our own work is.
    pub lag: Arc<Lag>,
    /// Time.
    pub world: World,
}

impl Sweeper {
    /// It as a part, which looks so often.
    pub fn child_spec(self, node: Arc<Node>, every: Duration) -> ChildSpec {
        let sweeper = Arc::new(self);
        PeriodicTask::child_spec(node, every, move || {
            let sweeper = sweeper.clone();
            async move { sweeper.sweep().await }
        })
    }

    async fn sweep(&self) {
        loop {
            let now = self.world.now();
            let claimed = match self.due.claim(now, now + CLAIM, CLAIM_MAX).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    return tracing::warn!(service = "order", %error, "reading overdue orders failed; trying again");
                }
            };
            if !claimed.is_empty() {
                faults::passes(Point::OrdersClaimed);
            }
            let lag = self.lag.recent_max();
            let more = claimed.len() == CLAIM_MAX as usize;
            let waiting: Vec<_> = claimed
                .into_iter()
                .map(|order| {
                    let (ticket, receiver) = Ticket::channel();
                    self.sagas.ask(&order, SagaInput::Decide(DecideInput::Due { lag }), ticket);
                    receiver
                })
                .collect();
            // The next are claimed when these are decided: that is what bounds the memory.
            let until = Instant::now() + CLAIM;
            for receiver in waiting {
                match timeout_at(until, receiver).await {
                    Ok(Ok(TicketOutcome::Retry(cause) | TicketOutcome::Dead(cause))) => {
                        tracing::error!(service = "order", %cause, "handling an overdue order failed");
                    }
                    Ok(Ok(TicketOutcome::Done(_) | TicketOutcome::Abandoned) | Err(_)) => {}
                    Err(_) => {
                        tracing::warn!(
                            service = "order",
                            "overdue orders are not processed in time; continuing with others"
                        );
                        return;
                    }
                }
            }
            // More orders do not help while answers are late: the others have their turn at the next look.
            if !more || self.lag.of_answers() >= LAG_TARGET {
                return;
            }
        }
    }
}
