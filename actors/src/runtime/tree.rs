//! The tree of what lives in this process: what `GET /admin/actors` shows.
//!
//! A [`Node`] is kept for each part for as long as the process lives, and for each entity for as long
//! as it is in memory. Nodes only count; they never decide.

use crate::clock::{Clock, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

/// What an actor is doing with its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not started yet, or between two lives.
    Starting,
    /// Handling messages.
    Running,
    /// Failed; it is started again after a pause.
    Restarting,
    /// Ended, as it was told to.
    Stopped,
}

/// What is known of one actor.
#[derive(Debug)]
pub struct Node {
    /// `supervisor`, `journal`, `relay`, `consumer`, `saga`, `sku`, `payment`, …
    pub kind: &'static str,
    /// Unique in the process, as in `order/journal` or `saga/<order_id>`.
    pub name: String,
    status: AtomicU8,
    restarts: AtomicU64,
    handled: AtomicU64,
    depth: AtomicUsize,
    started_at: Timestamp,
    last_error: Mutex<Option<String>>,
}

impl Node {
    /// A node for an actor that starts now.
    pub fn new(kind: &'static str, name: String, clock: &dyn Clock) -> Arc<Self> {
        Arc::new(Self {
            kind,
            name,
            status: AtomicU8::new(0),
            restarts: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            depth: AtomicUsize::new(0),
            started_at: clock.now(),
            last_error: Mutex::new(None),
        })
    }

    /// A message was put into its mailbox.
    pub fn queued(&self) {
        self.depth.fetch_add(1, Relaxed);
    }

    /// A message could not be put into its mailbox after all.
    pub fn unqueued(&self) {
        // A failure has emptied the mailbox meanwhile, perhaps: it is never less than empty.
        let _ = self.depth.fetch_update(Relaxed, Relaxed, |depth| depth.checked_sub(1));
    }

    /// A message was taken out of its mailbox.
    pub fn handled(&self) {
        self.unqueued();
        self.handled.fetch_add(1, Relaxed);
    }

    /// How many messages wait in its mailbox, with the one being handled.
    pub fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }

    /// It runs (again).
    pub fn running(&self) {
        self.status.store(1, Relaxed);
    }

    /// It failed; its mailbox is gone with it.
    pub fn failed(&self, error: &str) {
        self.status.store(2, Relaxed);
        self.restarts.fetch_add(1, Relaxed);
        self.depth.store(0, Relaxed);
        *self.error() = Some(error.chars().take(Self::ERROR_CHARS_MAX).collect());
    }

    /// It ended.
    pub fn stopped(&self) {
        self.status.store(3, Relaxed);
    }

    /// How often it was started again.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    /// An error is kept to this length: enough to recognise it in a list.
    const ERROR_CHARS_MAX: usize = 500;

    fn error(&self) -> MutexGuard<'_, Option<String>> {
        self.last_error.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What it looks like now, without its children.
    pub fn view(&self, now: Timestamp) -> NodeView {
        NodeView {
            kind: self.kind,
            name: self.name.clone(),
            status: match self.status.load(Relaxed) {
                0 => Status::Starting,
                1 => Status::Running,
                2 => Status::Restarting,
                _ => Status::Stopped,
            },
            restarts: self.restarts(),
            last_error: self.error().clone(),
            mailbox: self.depth(),
            handled: self.handled.load(Relaxed),
            uptime_ms: u64::try_from((now - self.started_at).num_milliseconds()).unwrap_or(0),
            children_total: 0,
            children: Vec::new(),
        }
    }
}

/// An actor as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct NodeView {
    /// What kind of actor.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub status: Status,
    /// How often it was started again.
    pub restarts: u64,
    /// Why, the last time.
    pub last_error: Option<String>,
    /// Messages waiting.
    pub mailbox: usize,
    /// Messages handled.
    pub handled: u64,
    /// Milliseconds since it started.
    pub uptime_ms: u64,
    /// How many children it has.
    pub children_total: usize,
    /// The children that were asked for.
    pub children: Vec<NodeView>,
}

/// Entities under one supervisor: too many to list in the tree itself, so that they are asked for.
pub trait Population: Send + Sync + 'static {
    /// How many there are.
    fn count(&self) -> usize;
    /// Some of them, by name: those after `after`, `limit` at most.
    fn page(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Node>>;
    /// Kills one, so that its supervisor starts it again. False: there is none of that name.
    fn restart(&self, name: &str) -> bool;
}

/// Ends an actor at once; its supervisor starts it again.
type Killer = Box<dyn Fn() + Send + Sync>;

struct Entry {
    node: Arc<Node>,
    parent: Option<String>,
    killer: Option<Killer>,
    population: Option<Arc<dyn Population>>,
}

/// Every part of this process by name, and the populations under them. Cheap to clone.
#[derive(Clone)]
pub struct Tree {
    clock: Arc<dyn Clock>,
    entries: Arc<RwLock<BTreeMap<String, Entry>>>,
}

impl Tree {
    /// An empty tree.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: Arc::default() }
    }

    /// A part's node, made when it is asked for the first time.
    pub fn part(&self, parent: Option<&str>, kind: &'static str, name: &str) -> Arc<Node> {
        let mut entries = self.entries.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let entry = entries.entry(name.to_owned()).or_insert_with(|| Entry {
            node: Node::new(kind, name.to_owned(), &*self.clock),
            parent: parent.map(str::to_owned),
            killer: None,
            population: None,
        });
        entry.node.clone()
    }

    /// Says how a part is ended at once.
    pub fn killed_by(&self, name: &str, killer: impl Fn() + Send + Sync + 'static) {
        let mut entries = self.entries.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = entries.get_mut(name) {
            entry.killer = Some(Box::new(killer));
        }
    }

    /// Puts a population under a part.
    pub fn populate(&self, name: &str, population: Arc<dyn Population>) {
        let mut entries = self.entries.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = entries.get_mut(name) {
            entry.population = Some(population);
        }
    }

    /// Ends the actor of a name at once, so that its supervisor starts it again.
    /// False: nothing of that name lives here.
    pub fn restart(&self, name: &str) -> bool {
        let entries = self.entries.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        match entries.get(name) {
            Some(Entry { killer: Some(killer), .. }) => {
                killer();
                true
            }
            Some(_) => false,
            None => entries
                .values()
                .filter_map(|entry| entry.population.as_ref())
                .any(|population| population.restart(name)),
        }
    }

    /// The names of what can be ended, in order: parts, and the first few of each population.
    pub fn names(&self) -> Vec<String> {
        const FEW: usize = 16;
        let entries = self.entries.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut names = Vec::new();
        for (name, entry) in entries.iter() {
            names.extend(entry.killer.as_ref().map(|_| name.clone()));
            if let Some(population) = &entry.population {
                names.extend(population.page(None, FEW).iter().map(|node| node.name.clone()));
            }
        }
        names
    }

    /// The tree as it is now. Of each population at most `limit` are listed; `under` names the one
    /// part whose population is paged by `after`.
    pub fn view(&self, under: Option<&str>, after: Option<&str>, limit: usize) -> Vec<NodeView> {
        let entries = self.entries.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.children(&entries, None, &|name| {
            if under == Some(name) { (after, limit) } else { (None, limit) }
        })
    }

    fn children<'a>(
        &self,
        entries: &BTreeMap<String, Entry>,
        parent: Option<&str>,
        page: &dyn Fn(&str) -> (Option<&'a str>, usize),
    ) -> Vec<NodeView> {
        let now = self.clock.now();
        let mine = entries.values().filter(|entry| entry.parent.as_deref() == parent);
        mine.map(|entry| {
            let name = &entry.node.name;
            let mut view = entry.node.view(now);
            view.children = self.children(entries, Some(name), page);
            view.children_total = view.children.len();
            if let Some(population) = &entry.population {
                let (after, limit) = page(name);
                let listed = population.page(after, limit);
                view.children_total += population.count();
                view.children.extend(listed.iter().map(|node| node.view(now)));
            }
            view
        })
        .collect()
    }
}
