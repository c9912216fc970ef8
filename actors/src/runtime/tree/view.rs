//! Queries of the actor tree, and their results.

use super::history::{Failure, LastMessage};
use super::node::Node;
use super::node_view::NodeView;
use super::status::Status;
use serde::Serialize;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// A query of the tree.
#[derive(Clone, Copy, Debug)]
pub struct TreeQuery<'a> {
    /// Only this part and what is below it.
    pub under: Option<&'a str>,
    /// Of that part's population, those after this name.
    pub after: Option<&'a str>,
    /// Entities listed of each population at the most.
    pub limit: usize,
    /// Levels below the first that are listed.
    pub depth: usize,
    /// Only actors of this kind, and those above them.
    pub kind: Option<&'a str>,
    /// Only actors that do this, and those above them.
    pub status: Option<Status>,
}

impl Default for TreeQuery<'_> {
    fn default() -> Self {
        Self { under: None, after: None, limit: 50, depth: usize::MAX, kind: None, status: None }
    }
}

impl TreeQuery<'_> {
    /// True when not everything is looked for.
    pub(super) fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.status.is_some()
    }

    /// True when this one is looked for.
    pub(super) fn takes(&self, node: &Node) -> bool {
        self.kind.is_none_or(|kind| node.kind == kind)
            && self.status.is_none_or(|status| node.status() == status)
    }
}

/// One actor's page.
#[derive(Clone, Debug, Serialize)]
pub struct ActorPage {
    /// The actor, without its children.
    pub actor: NodeView,
    /// Its supervisor. None: it is the root.
    pub parent: Option<String>,
    /// Its last few messages, oldest first.
    pub last_messages: Vec<LastMessage>,
    /// Why it was started again, the last few times, oldest first.
    pub failures: Vec<Failure>,
}

/// How many actors there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// In all.
    pub actors: usize,
    /// How often those that live now were started again, in all.
    pub restarts: u64,
    /// Of each kind.
    pub by_kind: BTreeMap<&'static str, usize>,
    /// In each status that any is in.
    pub by_status: BTreeMap<&'static str, usize>,
    /// Messages in their mailboxes, by kind.
    #[serde(skip)]
    pub mailboxes: BTreeMap<&'static str, usize>,
    /// The quarantined, by kind.
    #[serde(skip)]
    pub quarantined: BTreeMap<&'static str, usize>,
}

impl Totals {
    pub(super) fn count(&mut self, node: &Node) {
        self.actors += 1;
        self.restarts += node.restarts();
        *self.by_kind.entry(node.kind).or_default() += 1;
        *self.mailboxes.entry(node.kind).or_default() += node.depth();
        let is_quarantined = node.status() == Status::Quarantined;
        *self.quarantined.entry(node.kind).or_default() += usize::from(is_quarantined);
        *self.by_status.entry(node.status().as_str()).or_default() += 1;
    }
}

/// The first few of a great many, by name, without sorting all of them.
pub(super) struct FirstByName {
    /// The greatest on top, to be put out by a lesser one.
    kept: BinaryHeap<ByName>,
    limit: usize,
    /// How many there were, with those that are not kept and those before the page.
    pub(super) seen: usize,
    put_out: bool,
}

struct ByName(Arc<Node>);

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ByName {}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

impl FirstByName {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: BinaryHeap::new(), limit, seen: 0, put_out: false }
    }

    pub(super) fn offer(&mut self, node: &Arc<Node>, after: Option<&str>) {
        self.seen += 1;
        if after.is_some_and(|after| node.name.as_str() <= after) {
            return;
        }
        if self.kept.len() >= self.limit {
            self.put_out = true;
            if self.kept.peek().is_none_or(|last| last.0.name <= node.name) {
                return;
            }
            self.kept.pop();
        }
        self.kept.push(ByName(node.clone()));
    }

    /// Those kept, by name; true when others come after them.
    pub(super) fn into_page(self) -> (Vec<Arc<Node>>, bool) {
        let nodes = self.kept.into_sorted_vec().into_iter().map(|ByName(node)| node).collect();
        (nodes, self.put_out)
    }
}
