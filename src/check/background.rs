//! The check in the background: a few orders at a time, from the oldest to the newest, then from the beginning.
//!
//! It runs where one process runs all services, reads only, and pauses while the system is behind with its work.
//! What differs is counted, and logged once.

use super::checker::{System, SystemState};
use crate::metrics::ServerMetrics;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::runtime::periodic_task::PeriodicTask;
use ordermill_actors::runtime::supervisor::ChildSpec;
use ordermill_actors::runtime::tree::Node;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{
    Aspect, Disagreement, OrderObservation, OrderSides, Span, compare_product,
};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

/// Orders that are compared each time: some milliseconds of reading.
const ORDERS_AT_A_TIME: u32 = 100;
/// Products that are compared in one statement.
const PRODUCTS_AT_A_TIME: u32 = 1_000;
/// From the end of one pass to the beginning of the next: a small shop is not read over and over.
const PASS_PAUSE: Duration = Duration::from_secs(60);
/// Orders that differ and are to be looked at again; others have to wait for the next pass.
const SUSPECTS_MAX: usize = 100;
/// Disagreements that are known, so that each is logged once.
const KNOWN_MAX: usize = 10_000;
/// Warnings at a time; the metric counts all.
const WARNINGS_MAX: usize = 10;
/// While the system is further behind than this, nothing is read.
const LAG_MAX: Duration = Duration::from_millis(100);
/// How long an order must not have moved before what differs counts.
const SETTLE: Duration = Duration::from_secs(30);

/// What the check needs.
pub struct Parts {
    /// The records.
    pub sources: Sources,
    /// The system.
    pub system: Arc<dyn System>,
    /// Its entry in the tree.
    pub node: Arc<Node>,
    /// How often some orders are compared.
    pub every: Duration,
    /// Where what is found is counted.
    pub metrics: Arc<ServerMetrics>,
}

/// The check, as a part that is supervised.
pub fn child_spec(parts: Parts) -> ChildSpec {
    let Parts { sources, system, node, every, metrics } = parts;
    let check = Arc::new(Background { sources, system, metrics, pass: Mutex::default() });
    PeriodicTask::child_spec(node, every, move || {
        let check = check.clone();
        async move { check.step().await }
    })
}

struct Background {
    sources: Sources,
    system: Arc<dyn System>,
    metrics: Arc<ServerMetrics>,
    pass: Mutex<Pass>,
}

/// How far the check is.
#[derive(Default)]
struct Pass {
    /// The order that was compared last. None: the pass begins.
    after: Option<OrderId>,
    /// True once all orders were compared, and the products are to be.
    at_products: bool,
    /// When the next pass begins. None: one is under way.
    begins: Option<Instant>,
    /// True when a pass has just ended.
    has_ended: bool,
    /// Orders to look at again.
    suspects: BTreeMap<OrderId, OrderObservation>,
    /// What was found in this pass.
    found: HashSet<Disagreement>,
    /// What was found in the pass before: it was logged.
    known: HashSet<Disagreement>,
}

impl Background {
    /// Looks again at what differed, and compares some more.
    async fn step(&self) {
        let Ok(state) = self.system.state().await else { return };
        if state.lag > LAG_MAX {
            return;
        }
        let mut pass = self.pass.lock().await;
        match self.observation(&mut pass, state).await {
            Ok(found) => {
                tell(&mut pass, found);
                self.metrics.disagree(pass.found.union(&pass.known));
            }
            // The service's own journal says why, and what comes of it.
            Err(error) => tracing::debug!(%error, "background reconciliation: reading failed"),
        }
    }

    async fn observation(
        &self,
        pass: &mut Pass,
        state: SystemState,
    ) -> Result<Vec<Disagreement>, ReadError> {
        let mut found = self.recheck(pass, state).await?;
        if pass.begins.is_none_or(|at| at <= Instant::now()) {
            pass.begins = None;
            match pass.at_products {
                false => self.orders(pass).await?,
                true => found.extend(self.products(pass).await?),
            }
        }
        Ok(found)
    }

    /// Compares the next orders, and keeps in mind which differ.
    async fn orders(&self, pass: &mut Pass) -> Result<(), ReadError> {
        let mut span = Span::all(ORDERS_AT_A_TIME);
        span.after = pass.after.unwrap_or(span.after);
        let page = self.sources.read(span).await?;
        self.metrics.reconciled.inc_by(page.orders.len() as u64);
        for (order, sides) in page.orders {
            let observation = OrderObservation::at(&sides);
            if !observation.is_clean() && pass.suspects.len() < SUSPECTS_MAX {
                pass.suspects.insert(order, observation);
            }
        }
        pass.after = (!page.is_last).then_some(page.until);
        pass.at_products = page.is_last;
        Ok(())
    }

    /// What differs twice, of an order that has not moved, counts.
    async fn recheck(
        &self,
        pass: &mut Pass,
        state: SystemState,
    ) -> Result<Vec<Disagreement>, ReadError> {
        let mut found = Vec::new();
        for (order, earlier) in std::mem::take(&mut pass.suspects) {
            if !earlier.is_quiet(state.now, SETTLE) {
                pass.suspects.insert(order, earlier);
                continue;
            }
            let after = OrderId(Uuid::from_u128(order.0.as_u128().saturating_sub(1)));
            let page = self.sources.read(Span { after, until: order, limit: 1 }).await?;
            let sides = page.orders.get(&order).cloned();
            let observation =
                OrderObservation::at(&sides.unwrap_or_else(|| OrderSides::new(order)));
            if observation.is_as(&earlier) {
                found.extend(observation.disagreements);
            } else if !observation.is_clean() {
                pass.suspects.insert(order, observation);
            }
        }
        Ok(found)
    }

    async fn products(&self, pass: &mut Pass) -> Result<Vec<Disagreement>, ReadError> {
        let mut found = Vec::new();
        let mut after = None;
        if let Some(products) = &self.sources.products {
            loop {
                let page = products.products(after.as_ref(), PRODUCTS_AT_A_TIME).await?;
                after = page.last().map(|product| product.product_id.clone());
                found.extend(page.iter().flat_map(compare_product));
                if page.len() < PRODUCTS_AT_A_TIME as usize {
                    break;
                }
            }
        }
        pass.at_products = false;
        pass.has_ended = true;
        pass.begins = Some(Instant::now() + PASS_PAUSE);
        Ok(found)
    }
}

/// What an operator does about a disagreement.
fn advice(disagreement: &Disagreement) -> &'static str {
    match disagreement.aspect {
        Aspect::UnknownOrder | Aspect::Unreadable | Aspect::ReservedStock | Aspect::Movements => {
            "it is not repaired automatically: inspect the records"
        }
        Aspect::Reservation
        | Aspect::Payment
        | Aspect::Ledger
        | Aspect::Shipment
        | Aspect::Audit
        | Aspect::Notification => "`ordermill check --repair` sends the missing messages again",
    }
}

/// Logs what is new, and counts what there is. At the end of a pass, what was not found again is forgotten.
fn tell(pass: &mut Pass, found: Vec<Disagreement>) {
    let is_new = |one: &&Disagreement| !pass.known.contains(*one) && !pass.found.contains(*one);
    let new: Vec<_> = found.iter().filter(is_new).collect();
    for disagreement in new.iter().take(WARNINGS_MAX) {
        tracing::warn!(
            aspect = disagreement.aspect.as_str(), subject = %disagreement.subject,
            "services disagree: {disagreement}; {}", advice(disagreement)
        );
    }
    if new.len() > WARNINGS_MAX {
        let more = new.len() - WARNINGS_MAX;
        tracing::warn!(more, "more disagreements found; `ordermill check` lists all");
    }
    if pass.found.len() < KNOWN_MAX {
        pass.found.extend(found);
    }
    if std::mem::take(&mut pass.has_ended) {
        pass.known = std::mem::take(&mut pass.found);
    }
}
