//! A request to reserve: it travels through its products in the order of their ids, carrying the
//! holds that it has been given, and ends in the journal.
//!
//! ```text
//!  begin ─▶ sku/A: held ─▶ sku/B: held ─▶ journal, holds kept until the batch has decided
//!                │               │
//!                └─ short, or nobody knows in time ─▶ holds dropped ─▶ the same journal
//! ```
//!
//! The order of the ids keeps two orders from waiting for each other. The change is the same either
//! way: the batch decides it on the locked rows, so that nobody is refused for having waited. What
//! the request owns, it owns until it ends: dropped on its way, by whatever failure, its holds end
//! and its ticket says so.

use super::sku::{Msg, SkuKind, Skus};
use crate::runtime::directory::Directory;
use crate::runtime::journal::CommitOutcome;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_domain::inventory::{Change, InventoryAnswer, Lines};
use ordermill_domain::messages::{Origin, StockLine};
use ractor::ActorRef;
use std::time::Duration;
use tokio::time::Instant;

/// How long a request waits for holds of others, all its products together. A hold ends with its
/// journal batch, some milliseconds later; after a whole second the database is in trouble, and
/// waiting on gains nothing over being decided in its turn.
pub const WAIT_MAX: Duration = Duration::from_secs(1);

/// Units of a product that are kept for a request. They are free again when it is dropped.
pub(super) struct UnitHold {
    sku: ActorRef<Msg>,
    units: i64,
}

impl UnitHold {
    pub(super) fn new(sku: ActorRef<Msg>, units: i64) -> Self {
        Self { sku, units }
    }
}

impl Drop for UnitHold {
    fn drop(&mut self) {
        // An actor that is gone has forgotten its holds; the next one under its name never knew them.
        let _ = self.sku.cast(Msg::Ended { units: self.units });
    }
}

/// A request to reserve, under way.
pub struct ReservationRequest {
    origin: Origin,
    lines: Lines,
    holds: Vec<UnitHold>,
    deadline: Instant,
    ticket: Ticket<()>,
}

impl Directory<SkuKind> {
    /// Reserves lines for an order. the ticket completes when the outcome is committed, whatever it is.
    pub fn reserve(&self, origin: Origin, lines: Lines, ticket: Ticket<()>) {
        let deadline = Instant::now() + WAIT_MAX;
        Box::new(ReservationRequest { origin, lines, holds: Vec::new(), deadline, ticket })
            .go_on(self);
    }
}

impl ReservationRequest {
    /// Until when it waits for holds of others.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The line whose product it asks next. None: it holds all it wants.
    pub(super) fn next_line(&self) -> Option<&StockLine> {
        self.lines.get(self.holds.len())
    }

    /// Takes a hold along to the next product.
    pub(super) fn held(mut self: Box<Self>, hold: UnitHold, skus: &Skus) {
        self.holds.push(hold);
        self.go_on(skus);
    }

    /// Goes into the batch without holding anything.
    pub(super) fn undecided(mut self, skus: &Skus) {
        self.holds.clear();
        self.submit(skus);
    }

    /// Ends here: a product's actor is not to be asked now. That is an attempt.
    pub(super) fn refused(self, cause: String) {
        self.ticket.complete(TicketOutcome::Retry(cause));
    }

    fn go_on(self: Box<Self>, skus: &Skus) {
        match self.next_line().map(|line| line.product_id.clone()) {
            Some(product) => skus.send(&product, Msg::Ask(self)),
            None => (*self).submit(skus),
        }
    }

    fn submit(self, skus: &Skus) {
        let Self { origin, lines, holds, ticket, .. } = self;
        let known = skus.clone();
        skus.kind().journal().submit(Change::Reserve { origin, lines }, move |outcome| {
            complete_ticket(&known, outcome, ticket);
            // Ends after the new stock was told: no moment in which the units look free.
            drop(holds);
        });
    }
}

/// Passes on what the journal says of an order's command.
pub(super) fn complete_ticket(
    skus: &Skus,
    outcome: CommitOutcome<InventoryAnswer>,
    ticket: Ticket<()>,
) {
    match outcome {
        CommitOutcome::Done(InventoryAnswer::OutcomePublished(rows)) => {
            rows.into_iter().for_each(|row| skus.learn(row));
            ticket.complete(TicketOutcome::Done(()));
        }
        CommitOutcome::Done(InventoryAnswer::Impossible(cause)) => {
            ticket.complete(TicketOutcome::Dead(cause.to_owned()))
        }
        CommitOutcome::Failed(cause) => ticket.complete(TicketOutcome::Dead(cause)),
        // None of these answers a command. The dropped ticket has it handed in again.
        CommitOutcome::Done(
            InventoryAnswer::Stocked(_)
            | InventoryAnswer::Exists
            | InventoryAnswer::NotFound
            | InventoryAnswer::Stale(_)
            | InventoryAnswer::Adjusted { .. }
            | InventoryAnswer::KeyReused,
        )
        | CommitOutcome::Refused => {}
    }
}
