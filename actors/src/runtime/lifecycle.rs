//! Lifecycle events: what becomes of actors, told to whoever listens, and kept nowhere.
//!
//! ```text
//! node ─▶ notable: every part's, and of entities what is out of the ordinary ─▶ a person who watches
//!   └───▶ all: also each entity that starts and leaves ─▶ whoever asks for a kind
//! ```
//!
//! With nobody listening, telling costs a look at two counters. Who listens too slowly misses the oldest
//! events, and is told how many.

use ordermill_domain::clock::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use strum::{IntoStaticStr, VariantArray};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Events kept for slow listeners: some seconds of the worst that is notable, about 300 bytes each.
const NOTABLE_KEPT: usize = 1_024;

/// The same with every entity's: a second of some thousand orders, each with a saga, a payment and SKUs.
const ALL_KEPT: usize = 16_384;

/// The kind of a lifecycle event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum LifecycleEventKind {
    /// It runs, for the first time or again.
    Started,
    /// It failed. It starts again after a pause, unless it is quarantined next.
    Failed,
    /// It was ended on purpose, and starts again.
    Restarting,
    /// It failed too often: its messages are refused until an operator releases it.
    Quarantined,
    /// An operator lets it start afresh.
    Released,
    /// It had nothing to do, and left memory.
    Retired,
    /// It ended, as it was told to.
    Stopped,
}

impl LifecycleEventKind {
    /// Every event.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The event's name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True where it is out of the ordinary for one entity among a great many.
    fn is_notable(self, restarts: u64) -> bool {
        match self {
            Self::Failed | Self::Restarting | Self::Quarantined | Self::Released => true,
            Self::Started => restarts > 0,
            Self::Retired | Self::Stopped => false,
        }
    }
}

/// Something that became of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LifecycleEvent {
    /// When.
    pub at: Timestamp,
    /// The kind of actor.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What.
    pub what: LifecycleEventKind,
    /// How often it was started again before.
    pub restarts: u64,
    /// Why.
    pub cause: Option<String>,
}

/// Where lifecycle events are told. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    notable: Sender<Arc<LifecycleEvent>>,
    all: Sender<Arc<LifecycleEvent>>,
    restarts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let (notable, all) = (broadcast::channel(NOTABLE_KEPT).0, broadcast::channel(ALL_KEPT).0);
        Self { notable, all, restarts: Arc::default() }
    }
}

impl Lifecycle {
    /// The events of parts, and the unusual events of entities, from now on.
    pub fn notable(&self) -> Receiver<Arc<LifecycleEvent>> {
        self.notable.subscribe()
    }

    /// Everything from now on, also each entity's start and leaving.
    pub fn all(&self) -> Receiver<Arc<LifecycleEvent>> {
        self.all.subscribe()
    }

    /// How often actors were started again since the process started, by their kind.
    pub fn restarts(&self) -> BTreeMap<&'static str, u64> {
        self.lock_restarts().clone()
    }

    /// An actor of this kind is started again.
    pub(super) fn count_restart(&self, kind: &'static str) {
        *self.lock_restarts().entry(kind).or_default() += 1;
    }

    fn lock_restarts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.restarts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.notable.receiver_count() + self.all.receiver_count()
    }

    /// Tells an event; it is only made when somebody listens.
    pub(super) fn tell(
        &self,
        (what, restarts, is_entity): (LifecycleEventKind, u64, bool),
        event: impl FnOnce() -> LifecycleEvent,
    ) {
        let notable = !is_entity || what.is_notable(restarts);
        let (to_notable, to_all) =
            (notable && self.notable.receiver_count() > 0, self.all.receiver_count() > 0);
        if !to_notable && !to_all {
            return;
        }
        let event = Arc::new(event());
        // Whoever listened may have gone meanwhile.
        if to_notable {
            let _ = self.notable.send(event.clone());
        }
        if to_all {
            let _ = self.all.send(event);
        }
    }
}
