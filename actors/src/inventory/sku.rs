//! The SKU actor: `sku/<product_id>` serialises the reservations of one product in memory.
//!
//! Its levels ([`stock_levels`](super::stock_levels)) are loaded from the store when it starts, and renewed by
//! every batch that touches the product. It is never the arbiter: a store that does not answer, or a
//! product that it does not know, sends the request on to the batch undecided.

use super::InventoryReads;
use super::request::{ReservationRequest, UnitHold, WAIT_MAX};
use super::stock_levels::{HoldReply, StockLevels};
use crate::runtime::directory::{Directory, EntityKind, SpawnArguments, Spawned};
use crate::runtime::journal::JournalHandle;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Inventory, StockRow};
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, MessagingErr, SpawnErr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// A product that nobody asks for leaves memory after this time: loading it again costs one read.
pub const IDLE_AFTER: Duration = Duration::from_secs(60);

/// A message to a SKU actor.
pub enum Msg {
    /// Hold the units of the request's next line.
    Ask(Box<ReservationRequest>),
    /// The product's stock as it was committed.
    Learn(Arc<StockRow>),
    /// Leave memory, if there is nothing to do.
    Retire,
    /// From a hold: it has ended.
    Ended {
        /// How many units it held.
        units: i64,
    },
    /// From its own timer: somebody has waited enough.
    Overdue,
}

impl Msg {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Learn(_) => "learn",
            Self::Retire => "retire",
            Self::Ended { .. } => "ended",
            Self::Overdue => "overdue",
        }
    }
}

/// The SKU actors of this process.
pub type Skus = Directory<SkuKind>;

/// The part that all SKU actors share.
pub struct SkuKind {
    reads: Arc<dyn InventoryReads>,
    journal: JournalHandle<Inventory>,
}

impl SkuKind {
    /// SKU actors that start from what `reads` says, and reserve through `journal`.
    pub fn new(reads: Arc<dyn InventoryReads>, journal: JournalHandle<Inventory>) -> Self {
        Self { reads, journal }
    }

    pub(super) fn journal(&self) -> &JournalHandle<Inventory> {
        &self.journal
    }
}

impl Directory<SkuKind> {
    /// Tells a product's actor, if it lives, what the stock is now.
    pub fn learn(&self, row: Arc<StockRow>) {
        let product = row.product_id.clone();
        self.send_if_live(&product, Msg::Learn(row));
    }
}

impl EntityKind for SkuKind {
    type Key = ProductId;
    type Msg = Msg;
    const KIND: &'static str = "sku";

    fn spawn(&self, arguments: SpawnArguments<Self>) -> Result<Spawned<Msg>, SpawnErr> {
        let supervisor = arguments.supervisor.clone();
        ActorRuntime::spawn_linked_instant(None, Sku(arguments), (), supervisor)
    }

    fn retire() -> Msg {
        Msg::Retire
    }

    fn refuse(message: Msg, cause: String) {
        match message {
            Msg::Ask(request) => request.refused(cause),
            Msg::Learn(_) | Msg::Retire | Msg::Ended { .. } | Msg::Overdue => {}
        }
    }
}

type Timer = AbortOnDropHandle<Result<(), MessagingErr<Msg>>>;

struct Sku(SpawnArguments<SkuKind>);

struct Memory {
    levels: StockLevels<Box<ReservationRequest>>,
    /// When the timer rings, and the timer.
    alarm: Option<(Instant, Timer)>,
}

impl Actor for Sku {
    type Msg = Msg;
    type State = Memory;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<Memory, ActorProcessingErr> {
        Ok(Memory { levels: StockLevels::new(self.load().await), alarm: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        memory: &mut Memory,
    ) -> Result<(), ActorProcessingErr> {
        self.0.node.begins(message.name());
        let retire = matches!(message, Msg::Retire);
        let now = Instant::now();
        let (replies, counted) = match message {
            Msg::Ask(request) => (memory.ask(now, request), true),
            Msg::Learn(row) => (memory.levels.learn(row), true),
            Msg::Retire => (Vec::new(), true),
            // These two come past the directory, which counts what waits in the mailbox.
            Msg::Ended { units } => (memory.levels.ended(units), false),
            Msg::Overdue => {
                memory.alarm = None;
                (memory.levels.overdue(now), false)
            }
        };
        for (request, reply) in replies {
            self.pass_on(&myself, request, reply);
        }
        memory.set_alarm(&myself, now);
        if counted {
            // A product that is not known has nothing to remember, and anybody can make up another.
            if retire || memory.levels.is_unknown() {
                self.leave(&myself, memory);
            }
            self.0.node.handled();
        } else {
            self.0.node.ends();
        }
        Ok(())
    }
}

impl Memory {
    fn ask(
        &mut self,
        now: Instant,
        request: Box<ReservationRequest>,
    ) -> Vec<(Box<ReservationRequest>, HoldReply)> {
        let units = request.next_line().map_or(0, |line| i64::from(line.quantity));
        self.levels.ask(units, request.deadline(), now, request).into_iter().collect()
    }

    /// Has the timer ring when the first of the waiters has waited enough.
    fn set_alarm(&mut self, myself: &ActorRef<Msg>, now: Instant) {
        let Some(at) = self.levels.next_deadline() else { return };
        if self.alarm.as_ref().is_none_or(|(set, _)| at < *set) {
            let timer = myself.send_after(at.saturating_duration_since(now), || Msg::Overdue);
            self.alarm = Some((at, AbortOnDropHandle::new(timer)));
        }
    }
}

impl Sku {
    fn pass_on(&self, myself: &ActorRef<Msg>, request: Box<ReservationRequest>, reply: HoldReply) {
        let skus = &self.0.directory;
        match reply {
            HoldReply::Held => {
                let units = request.next_line().map_or(0, |line| i64::from(line.quantity));
                request.held(UnitHold::new(myself.clone(), units), skus);
            }
            HoldReply::Short | HoldReply::Undecided => request.undecided(skus),
        }
    }

    fn leave(&self, myself: &ActorRef<Msg>, memory: &Memory) {
        if memory.levels.is_idle() && self.0.directory.leave(&self.0.key, myself.get_id()) {
            myself.stop(None);
        }
    }

    /// The stock as it is committed; None also when the store does not say so in time.
    async fn load(&self) -> Option<Arc<StockRow>> {
        let reads = &self.0.directory.kind().reads;
        match tokio::time::timeout(WAIT_MAX, reads.stock(&self.0.key)).await {
            Ok(Ok(row)) => row.map(Arc::new),
            Ok(Err(error)) => {
                tracing::warn!(actor = %self.0.node.name, %error, "loading the stock failed; starting without it");
                None
            }
            Err(_) => {
                tracing::warn!(actor = %self.0.node.name, "loading the stock timed out; starting without it");
                None
            }
        }
    }
}
