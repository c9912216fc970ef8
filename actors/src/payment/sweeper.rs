//! The sweeper: takes up payments whose gateway call was lost with the process that made it.

use super::entity::Payments;
use super::reads::PaymentReads;
use crate::faults::{self, Point};
use crate::ports::ReadError;
use crate::runtime::periodic_task::PeriodicTask;
use crate::runtime::supervisor::ChildSpec;
use crate::runtime::ticket::Ticket;
use crate::runtime::tree::Node;
use chrono::{DateTime, Utc};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::payment::PaymentInput;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Payments that one look into the database brings.
const PAGE_ROWS: u32 = 500;

/// The next are not held up by these for longer.
const DECIDED_WITHIN: Duration = Duration::from_secs(15);

/// How often it is looked whether those that were woken have left memory.
const CROWD_POLL: Duration = Duration::from_millis(100);

/// Takes up payments whose gateway call is due.
pub struct Sweeper {
    /// The database.
    pub reads: Arc<dyn PaymentReads>,
    /// The payments.
    pub payments: Payments,
    /// Time.
    pub world: World,
    /// True when no other process works on the same database: then no call is under way when this one
    /// starts, and every payment that waits for one is taken up at once.
    pub alone: bool,
}

impl Sweeper {
    /// It as a part, which looks so often.
    pub fn child_spec(self, node: Arc<Node>, every: Duration) -> ChildSpec {
        let starting = Arc::new(AtomicBool::new(self.alone));
        let sweeper = Arc::new(self);
        PeriodicTask::child_spec(node, every, move || {
            let (sweeper, starting) = (sweeper.clone(), starting.clone());
            async move {
                if sweeper.sweep(starting.load(Relaxed)).await {
                    starting.store(false, Relaxed);
                }
            }
        })
    }

    /// Takes up those that are due, or all that wait; true when all of them were found.
    async fn sweep(&self, everything: bool) -> bool {
        let before = if everything { DateTime::<Utc>::MAX_UTC } else { self.world.now() };
        let swept = resume_due(&*self.reads, &self.payments, before).await;
        match &swept {
            Ok(0) => {}
            Ok(woken) => {
                tracing::info!(service = "payment", woken, "resuming pending payments");
            }
            Err(error) => {
                tracing::warn!(service = "payment", %error, "reading pending payments failed; trying again");
            }
        }
        swept.is_ok()
    }
}

/// Wakes every payment that somebody must see to by `before`, and says how many. Two processes that
/// wake the same payment ask the gateway twice under one key, which is once.
async fn resume_due(
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
                payments.ask(&order_id, PaymentInput::Resume, ticket);
                decided
            })
            .collect();
        // The next are looked up when these are committed: the gateway is not asked all at once.
        let until = Instant::now() + DECIDED_WITHIN;
        for decided in decided {
            // One that could not be decided is still due at the next look.
            if timeout_at(until, decided).await.is_err() {
                tracing::warn!(
                    service = "payment",
                    "payments are not processed in time; continuing with others"
                );
                break;
            }
        }
        if !full {
            return Ok(woken);
        }
        // A gateway that does not answer keeps those that wait for it; they leave before long.
        while payments.is_crowded() {
            tokio::time::sleep(CROWD_POLL).await;
        }
    }
}
