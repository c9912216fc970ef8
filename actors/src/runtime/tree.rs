//! The tree of what lives in this process: what `GET /admin/actors` shows.
//!
//! A [`Node`] is kept for each part for as long as the process lives, and for each entity for as long
//! as it is in memory. Nodes only count and remember; they never decide.

mod history;
mod node;
mod node_view;
mod status;
mod view;

pub use history::{Failure, HandlingOutcome, LastMessage};
pub use node::{End, IntentionalStop, KINDS, Node};
pub use node_view::NodeView;
pub use status::Status;
pub use view::{ActorPage, Totals, TreeQuery};

use super::lifecycle::Lifecycle;
use ordermill_domain::clock::{Clock, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use view::FirstByName;

/// Entities under one supervisor: too many to list in the tree itself, so that they are asked for.
pub trait Population: Send + Sync + 'static {
    /// How many there are.
    fn count(&self) -> usize;
    /// Shows each of them, in no order.
    fn visit(&self, query: &mut dyn FnMut(&Arc<Node>));
    /// One of them.
    fn find(&self, name: &str) -> Option<Arc<Node>>;
    /// Kills one, so that its supervisor starts it again. False: there is none of that name that lives.
    fn restart(&self, name: &str) -> bool;
    /// Lets one that is quarantined start afresh. False: there is none of that name that is.
    fn release(&self, name: &str) -> bool;
}

/// Ends an actor at once; its supervisor starts it again.
type KillFn = Box<dyn Fn() + Send + Sync>;

struct Entry {
    node: Arc<Node>,
    parent: Option<String>,
    killer: Option<KillFn>,
    population: Option<Arc<dyn Population>>,
}

/// Every part of this process by name.
type Entries = BTreeMap<String, Entry>;

/// Every part of this process by name, and the populations under them. Cheap to clone.
#[derive(Clone)]
pub struct Tree {
    clock: Arc<dyn Clock>,
    lifecycle: Lifecycle,
    entries: Arc<RwLock<Entries>>,
}

impl Tree {
    /// An empty tree.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lifecycle: Lifecycle::default(), entries: Arc::default() }
    }

    /// Where it is told what becomes of actors.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// A part's node, made when it is asked for the first time.
    pub fn part(&self, parent: Option<&str>, kind: &'static str, name: &str) -> Arc<Node> {
        let mut entries = self.write();
        let entry = entries.entry(name.to_owned()).or_insert_with(|| Entry {
            node: Node::part(kind, name.to_owned(), &*self.clock, self.lifecycle.clone()),
            parent: parent.map(str::to_owned),
            killer: None,
            population: None,
        });
        entry.node.clone()
    }

    /// Says how a part is ended at once.
    pub fn killed_by(&self, name: &str, killer: impl Fn() + Send + Sync + 'static) {
        if let Some(entry) = self.write().get_mut(name) {
            entry.killer = Some(Box::new(killer));
        }
    }

    /// Puts a population under a part.
    pub fn populate(&self, name: &str, population: Arc<dyn Population>) {
        if let Some(entry) = self.write().get_mut(name) {
            entry.population = Some(population);
        }
    }

    /// Ends the actor of a name at once, so that its supervisor starts it again. That is no failure of
    /// its own. False: nothing of that name lives here.
    pub fn restart(&self, name: &str) -> bool {
        let entries = self.read();
        match entries.get(name) {
            Some(entry) => entry.end(IntentionalStop::Operator),
            None => populations(&entries).any(|(_, population)| population.restart(name)),
        }
    }

    /// Ends a part that gets nothing although there is something.
    pub fn restart_silent(&self, name: &str) -> bool {
        self.read().get(name).is_some_and(|entry| entry.end(IntentionalStop::Silent))
    }

    /// Lets a quarantined entity start afresh from the store, with its next message. False: nothing of
    /// that name is quarantined here.
    pub fn release(&self, name: &str) -> bool {
        populations(&self.read()).any(|(_, population)| population.release(name))
    }

    /// The names of what can be ended, in order: parts, and the first few of each population.
    pub fn names(&self) -> Vec<String> {
        const FEW: usize = 16;
        let entries = self.read();
        let mut names = Vec::new();
        for (name, entry) in entries.iter() {
            names.extend(entry.killer.as_ref().map(|_| name.clone()));
            if let Some(population) = &entry.population {
                let mut few = FirstByName::new(FEW);
                population.visit(&mut |node| few.offer(node, None));
                names.extend(few.into_page().0.iter().map(|node| node.name.clone()));
            }
        }
        names
    }

    /// How many actors there are.
    pub fn totals(&self) -> Totals {
        let (entries, mut totals) = (self.read(), Totals::default());
        for entry in entries.values() {
            totals.count(&entry.node);
        }
        for (_, population) in populations(&entries) {
            population.visit(&mut |node| totals.count(node));
        }
        totals
    }

    /// One actor, with all that is known of it.
    pub fn actor(&self, name: &str) -> Option<ActorPage> {
        let entries = self.read();
        let (node, parent) = match entries.get(name) {
            Some(entry) => (entry.node.clone(), entry.parent.clone()),
            None => populations(&entries).find_map(|(parent, population)| {
                Some((population.find(name)?, Some(parent.to_owned())))
            })?,
        };
        let mut actor = node.view(self.clock.now());
        let parts = entries.values().filter(|entry| entry.parent.as_deref() == Some(name)).count();
        let entities = entries.get(name).and_then(|entry| entry.population.as_ref());
        actor.children_total = parts + entities.map_or(0, |population| population.count());
        let (last_messages, failures) = (node.last_messages(), node.failures());
        Some(ActorPage { actor, parent, last_messages, failures })
    }

    /// The tree as it is now, as far as it is looked at. None: there is no such part to look under.
    pub fn view(&self, query: &TreeQuery<'_>) -> Option<Vec<NodeView>> {
        let (entries, now) = (self.read(), self.clock.now());
        let Some(under) = query.under else {
            return Some(children(&entries, None, query, now, query.depth));
        };
        let entry = entries.get(under)?;
        Some(vec![branch(&entries, entry, query, now, query.depth)])
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Entry {
    fn end(&self, why: IntentionalStop) -> bool {
        let Some(killer) = &self.killer else { return false };
        self.node.will_end(why);
        killer();
        true
    }
}

fn populations(entries: &Entries) -> impl Iterator<Item = (&str, &Arc<dyn Population>)> {
    entries.iter().filter_map(|(name, entry)| Some((name.as_str(), entry.population.as_ref()?)))
}

/// The parts under one, each with what is below it; where something is looked for, only those that are
/// it or have it below.
fn children(
    entries: &Entries,
    parent: Option<&str>,
    query: &TreeQuery<'_>,
    now: Timestamp,
    depth: usize,
) -> Vec<NodeView> {
    let mine = entries.values().filter(|entry| entry.parent.as_deref() == parent);
    mine.filter_map(|entry| {
        let view = branch(entries, entry, query, now, depth);
        (query.takes(&entry.node) || view.children_total > 0).then_some(view)
    })
    .collect()
}

fn branch(
    entries: &Entries,
    entry: &Entry,
    query: &TreeQuery<'_>,
    now: Timestamp,
    depth: usize,
) -> NodeView {
    let name = entry.node.name.as_str();
    let mut view = entry.node.view(now);
    let below = depth.saturating_sub(1);
    view.children = children(entries, Some(name), query, now, below);
    view.children_total = view.children.len();
    if let Some(population) = &entry.population {
        if depth == 0 && !query.is_filtered() {
            view.children_total += population.count();
        } else {
            let after = query.after.filter(|_| query.under == Some(name));
            let mut few = FirstByName::new(query.limit);
            population.visit(&mut |node| {
                if query.takes(node) {
                    few.offer(node, after);
                }
            });
            view.children_total += few.seen;
            let (listed, more) = few.into_page();
            view.next_after = listed.last().filter(|_| more).map(|node| node.name.clone());
            view.children.extend(listed.iter().map(|node| node.view(now)));
        }
    }
    if depth == 0 {
        view.children.clear();
        view.next_after = None;
    }
    view
}
