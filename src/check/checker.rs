//! Compares every order and every product, and looks again at what differs before it counts.

use super::progress::Progress;
use anyhow::Context;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{Page, Sources};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::reconciliation::{
    Disagreement, OrderObservation, OrderSides, Span, Stage, Subject, compare_product,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::{Builder, Uuid};

/// Orders that are read at a time: some hundred kilobytes.
pub const ORDERS_PAGE: u32 = 1_000;
/// Products that are read at a time. The reservations are added up once for each page.
pub const PRODUCTS_PAGE: u32 = 10_000;
/// How long it is waited before what differs is looked at again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long it is looked at again and again: longer than a message rests after its last failure, and than a
/// backlog takes to be worked off.
const AGAIN_FOR: Duration = Duration::from_secs(120);
/// While the system is further behind than this, what differs may be on its way.
const LAG_MAX: Duration = Duration::from_millis(500);

/// How a running system stands.
#[derive(Clone, Copy, Debug)]
pub struct SystemState {
    /// Its time.
    pub now: Timestamp,
    /// How far behind it is with its work, or was of late.
    pub lag: Duration,
}

/// A running system.
#[async_trait]
pub trait System: Send + Sync {
    /// How it stands.
    async fn state(&self) -> Result<SystemState, ReadError>;
}

/// Which orders and products are compared.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Only these orders.
    pub orders: Option<BTreeSet<OrderId>>,
    /// Only these products.
    pub products: Option<BTreeSet<ProductId>>,
    /// Not these: messages about them wait to be sent.
    pub pending: BTreeSet<OrderId>,
}

impl Scope {
    /// Everything.
    pub const fn all() -> Self {
        Self { orders: None, products: None, pending: BTreeSet::new() }
    }

    /// Some orders and some products.
    pub fn of(
        orders: impl IntoIterator<Item = OrderId>,
        products: impl IntoIterator<Item = ProductId>,
    ) -> Self {
        let (orders, products) = (orders.into_iter().collect(), products.into_iter().collect());
        Self { orders: Some(orders), products: Some(products), ..Self::all() }
    }

    /// How many products are named.
    pub fn products(&self) -> usize {
        self.products.as_ref().map_or(0, BTreeSet::len)
    }

    pub(super) fn covers(&self, order: OrderId) -> bool {
        self.orders.as_ref().is_none_or(|orders| orders.contains(&order))
    }

    fn covers_product(&self, product: &ProductId) -> bool {
        self.products.as_ref().is_none_or(|products| products.contains(product))
    }

    /// Where the orders lie, those of the future left out. None: there are none.
    pub(super) fn span(&self, now: Option<Timestamp>) -> Option<Span> {
        let all = Span::all(ORDERS_PAGE);
        let until = now.map_or(all.until, last_placed_by);
        match &self.orders {
            None => Some(Span { until, ..all }),
            Some(orders) => {
                let (first, last) = (orders.first()?, orders.last()?);
                let after = OrderId(Uuid::from_u128(first.0.as_u128().saturating_sub(1)));
                Some(Span { after, until: *last, ..all })
            }
        }
    }
}

/// The greatest id that an order may have that was placed by now.
fn last_placed_by(now: Timestamp) -> OrderId {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    OrderId(Builder::from_unix_timestamp_millis(millis, &[u8::MAX; 10]).into_uuid())
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Orders that were compared.
    pub orders: u64,
    /// Products that were compared.
    pub products: u64,
    /// Orders that were under way, and so not compared.
    pub under_way: u64,
    /// Orders that changed whenever they were looked at, and so not compared.
    pub moving: u64,
    /// Orders whose saga is FAILED, and why. They are not compared: a person should look.
    pub failed: Vec<(OrderId, String)>,
    /// What was not compared, because no server or database of it was named.
    pub not_compared: Vec<String>,
    /// What differs.
    #[serde(skip)]
    pub disagreements: Vec<Disagreement>,
    /// The orders that were not compared, for one reason or the other.
    #[serde(skip)]
    pub not_settled: BTreeSet<OrderId>,
    /// What differed and was mended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<Subject>,
}

impl Outcome {
    /// True when nothing differs.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }

    /// The orders that differ.
    pub fn differing_orders(&self) -> BTreeSet<OrderId> {
        let order = |disagreement: &Disagreement| match &disagreement.subject {
            Subject::Order(order) => Some(*order),
            Subject::Product(_) => None,
        };
        self.disagreements.iter().filter_map(order).collect()
    }

    /// The products that differ.
    pub fn differing_products(&self) -> BTreeSet<ProductId> {
        let product = |disagreement: &Disagreement| match &disagreement.subject {
            Subject::Product(product) => Some(product.clone()),
            Subject::Order(_) => None,
        };
        self.disagreements.iter().filter_map(product).collect()
    }

    fn count(&mut self, order: OrderId, observation: OrderObservation) {
        let is_unsettled = matches!(observation.stage, Stage::UnderWay | Stage::Failed(_));
        match observation.stage {
            Stage::UnderWay => self.under_way += 1,
            Stage::Failed(reason) => self.failed.push((order, reason)),
            Stage::AtRest | Stage::Unknown => self.orders += 1,
        }
        if is_unsettled {
            self.not_settled.insert(order);
        }
        self.disagreements.extend(observation.disagreements);
    }
}

/// What is to be looked at again: parts of a span that was read before, and what was seen in it.
struct Suspects {
    span: Span,
    seen: BTreeMap<OrderId, OrderObservation>,
}

/// Compares.
pub struct Checker {
    /// Where the records are.
    pub sources: Sources,
    /// The system that works on them. None: none does, so that what differs counts at once.
    pub system: Option<Arc<dyn System>>,
    /// How long an order must not have moved before what differs counts.
    pub settle: Duration,
    /// Who is told how far it is.
    pub progress: Option<Progress>,
}

impl Checker {
    /// Compares all that is in scope.
    ///
    /// # Errors
    /// When a service cannot be read.
    pub async fn check(&self, scope: &Scope) -> anyhow::Result<Outcome> {
        let not_compared = self.sources.missing().into_iter().map(str::to_owned).collect();
        let mut outcome = Outcome { not_compared, ..Outcome::default() };
        self.orders(scope, &mut outcome).await?;
        self.products(scope, &mut outcome).await?;
        Ok(outcome)
    }

    async fn orders(&self, scope: &Scope, outcome: &mut Outcome) -> anyhow::Result<()> {
        let now = match &self.system {
            Some(system) => Some(system.state().await?.now),
            None => None,
        };
        let Some(mut span) = scope.span(now) else { return Ok(()) };
        let mut suspects = Vec::new();
        loop {
            let page = self.read(span).await?;
            let (until, is_last) = (page.until, page.is_last);
            let seen = self.first_pass(page, scope, outcome);
            if !seen.is_empty() {
                suspects.push(Suspects { span: Span { until, ..span }, seen });
            }
            self.says(outcome, &suspects);
            if is_last {
                break;
            }
            span.after = until;
        }
        self.recheck(suspects, outcome).await
    }

    /// Compares a page: what is clean is counted, what differs is returned.
    fn first_pass(
        &self,
        page: Page,
        scope: &Scope,
        outcome: &mut Outcome,
    ) -> BTreeMap<OrderId, OrderObservation> {
        let mut seen = BTreeMap::new();
        for (order, sides) in page.orders.into_iter().filter(|(order, _)| scope.covers(*order)) {
            if scope.pending.contains(&order) {
                outcome.under_way += 1;
                continue;
            }
            let observation = OrderObservation::at(&sides);
            match observation.is_clean() || self.system.is_none() {
                true => outcome.count(order, observation),
                false => {
                    seen.insert(order, observation);
                }
            }
        }
        seen
    }

    /// Looks at what differs again, until it does not differ or counts.
    async fn recheck(
        &self,
        mut suspects: Vec<Suspects>,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        let Some(system) = &self.system else { return Ok(()) };
        let until = Instant::now() + AGAIN_FOR;
        while !suspects.is_empty() {
            sleep(AGAIN_AFTER).await;
            let state = system.state().await?;
            let is_last_time = Instant::now() >= until;
            for suspects in &mut suspects {
                // Whoever was placed a moment ago may have come in between.
                let span = Span { limit: ORDERS_PAGE, ..suspects.span };
                let mut sides = self.read_whole(span).await?;
                for (order, earlier) in std::mem::take(&mut suspects.seen) {
                    let now = sides.remove(&order).unwrap_or_else(|| OrderSides::new(order));
                    let observation = OrderObservation::at(&now);
                    let counts = observation.is_as(&earlier)
                        && (is_last_time
                            || (state.lag <= LAG_MAX
                                && observation.is_quiet(state.now, self.settle)));
                    match () {
                        () if observation.is_clean() || counts => outcome.count(order, observation),
                        () if is_last_time => {
                            outcome.moving += 1;
                            outcome.not_settled.insert(order);
                        }
                        () => {
                            suspects.seen.insert(order, observation);
                        }
                    }
                }
            }
            suspects.retain(|suspects| !suspects.seen.is_empty());
            self.says(outcome, &suspects);
        }
        Ok(())
    }

    async fn read(&self, span: Span) -> anyhow::Result<Page> {
        self.sources.read(span).await.context("reading the records of orders failed")
    }

    async fn read_whole(&self, mut span: Span) -> anyhow::Result<BTreeMap<OrderId, OrderSides>> {
        let mut orders = BTreeMap::new();
        loop {
            let page = self.read(span).await?;
            orders.extend(page.orders);
            if page.is_last {
                return Ok(orders);
            }
            span.after = page.until;
        }
    }

    async fn products(&self, scope: &Scope, outcome: &mut Outcome) -> anyhow::Result<()> {
        let Some(products) = &self.sources.products else { return Ok(()) };
        let mut after: Option<ProductId> = None;
        loop {
            let page = products.products(after.as_ref(), PRODUCTS_PAGE).await;
            let page = page.context("reading the records of products failed")?;
            let is_last = page.len() < PRODUCTS_PAGE as usize;
            after = page.last().map(|product| product.product_id.clone());
            for product in page.iter().filter(|product| scope.covers_product(&product.product_id)) {
                outcome.products += 1;
                outcome.disagreements.extend(compare_product(product));
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn says(&self, outcome: &Outcome, suspects: &[Suspects]) {
        let Some(progress) = &self.progress else { return };
        let again: usize = suspects.iter().map(|suspects| suspects.seen.len()).sum();
        let done = outcome.orders + outcome.under_way + outcome.failed.len() as u64;
        progress.says(match again {
            0 => format!("{done} orders compared"),
            again => format!("{done} orders compared, {again} to compare again"),
        });
    }
}
