//! Stock levels: what is remembered of one product between two batches. Pure.
//!
//! ```text
//!  on_hand ───────────────────────────────────────────┐
//!  reserved (committed) │ held (being decided) │ free │
//! ```
//!
//! A request that fits into what is free is held. One that the committed stock does not cover, even
//! if every hold failed, is short. One in between waits, in the order of arrival: its outcome depends on
//! holds that are still being decided. Whatever the levels say, the batch decides.

use ordermill_domain::inventory::StockRow;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::Instant;

/// Requests that wait at one product at the most. Each waits for holds that are with the journal,
/// whose batch takes about as many changes ([`CHANGES_MAX`](crate::runtime::journal::CHANGES_MAX)):
/// whoever stood further behind would wait longer than it takes to have it decided unheld.
pub const WAITERS_MAX: usize = 1_000;

/// The answer to a request for units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoldReply {
    /// The units are kept for it until its hold ends.
    Held,
    /// The committed stock does not cover it, however the holds end.
    Short,
    /// Nobody knows yet, and it has waited enough, or too many wait.
    Undecided,
}

struct Waiter<R> {
    units: i64,
    deadline: Instant,
    request: R,
}

/// The memory of one product. `R` is whoever asks.
pub(super) struct StockLevels<R> {
    view: Option<Arc<StockRow>>,
    holds: usize,
    held: i64,
    waiters: VecDeque<Waiter<R>>,
}

impl<R> StockLevels<R> {
    /// Levels of the stock as it was last read; None: nobody knows of such a product.
    pub(super) fn new(view: Option<Arc<StockRow>>) -> Self {
        Self { view, holds: 0, held: 0, waiters: VecDeque::new() }
    }

    /// True when nothing here is known of the product.
    pub(super) fn is_unknown(&self) -> bool {
        self.view.is_none()
    }

    /// True when nobody holds or waits for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.holds == 0 && self.waiters.is_empty()
    }

    /// When the first of the waiters has waited enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiters.iter().map(|waiter| waiter.deadline).min()
    }

    /// Asks for units. The request comes back with its reply, unless it waits.
    pub(super) fn ask(
        &mut self,
        units: i64,
        deadline: Instant,
        now: Instant,
        request: R,
    ) -> Option<(R, HoldReply)> {
        // Nobody overtakes a waiter: a large request would otherwise starve behind small ones.
        let reply = match self.judge(units) {
            None => HoldReply::Undecided,
            Some(HoldReply::Held) if self.waiters.is_empty() => HoldReply::Held,
            Some(HoldReply::Short) => HoldReply::Short,
            Some(HoldReply::Held | HoldReply::Undecided) => {
                if self.waiters.len() < WAITERS_MAX && now < deadline {
                    self.waiters.push_back(Waiter { units, deadline, request });
                    return None;
                }
                HoldReply::Undecided
            }
        };
        self.record(units, reply);
        Some((request, reply))
    }

    /// A hold of so many units has ended.
    pub(super) fn ended(&mut self, units: i64) -> Vec<(R, HoldReply)> {
        self.holds -= 1;
        self.held -= units;
        self.serve()
    }

    /// The stock as it was committed. An older row than the one known says nothing.
    pub(super) fn learn(&mut self, row: Arc<StockRow>) -> Vec<(R, HoldReply)> {
        if self.view.as_ref().is_some_and(|known| known.version >= row.version) {
            return Vec::new();
        }
        self.view = Some(row);
        self.serve()
    }

    /// Those who have waited enough, and whoever is served now that they are gone.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<(R, HoldReply)> {
        let waiters = std::mem::take(&mut self.waiters);
        let (late, waiting): (VecDeque<_>, VecDeque<_>) =
            waiters.into_iter().partition(|waiter| waiter.deadline <= now);
        self.waiters = waiting;
        let mut replies: Vec<_> =
            late.into_iter().map(|waiter| (waiter.request, HoldReply::Undecided)).collect();
        replies.extend(self.serve());
        replies
    }

    /// Serves the waiters in their order, up to the first whose outcome still depends on a hold.
    fn serve(&mut self) -> Vec<(R, HoldReply)> {
        let mut replies = Vec::new();
        while let Some(first) = self.waiters.front() {
            match self.judge(first.units) {
                Some(reply @ (HoldReply::Held | HoldReply::Short)) => {
                    if let Some(Waiter { units, request, .. }) = self.waiters.pop_front() {
                        self.record(units, reply);
                        replies.push((request, reply));
                    }
                }
                Some(HoldReply::Undecided) | None => break,
            }
        }
        replies
    }

    /// The answer to a request for so many units, waiters apart. None: the product is not known.
    fn judge(&self, units: i64) -> Option<HoldReply> {
        let available = self.view.as_ref()?.available();
        Some(if available < units {
            HoldReply::Short
        } else if available - self.held < units {
            HoldReply::Undecided
        } else {
            HoldReply::Held
        })
    }

    fn record(&mut self, units: i64, reply: HoldReply) {
        match reply {
            HoldReply::Held => {
                self.holds += 1;
                self.held += units;
            }
            HoldReply::Short | HoldReply::Undecided => {}
        }
    }
}

#[cfg(test)]
mod tests;
