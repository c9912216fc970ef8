//! One customer: places an order, does what its scenario asks for, and waits until it rests.

use super::catalogue::{Catalogue, decimal};
use super::order_mix::{self, OrderMix};
use super::scenario::{Ending, Scenario};
use super::shop::Shop;
use super::views::OrderView;
use anyhow::{Context, ensure};
use ordermill_domain::backoff::Backoff;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// How long an order may take to rest. A gateway that stays silent takes seconds, everything else less.
const REST_LIMIT: Duration = Duration::from_secs(60);
/// The pauses before an order is looked at again.
const POLL: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(800));

/// What became of one customer's order.
pub(super) struct CustomerRun {
    pub(super) scenario: Scenario,
    /// None when it could not be placed.
    pub(super) order_id: Option<String>,
    /// When its placing was answered, since the run began.
    pub(super) placed_after: Option<Duration>,
    /// What was ordered: product and quantity.
    pub(super) lines: Vec<(String, i64)>,
    /// What it costs, in cents.
    pub(super) total_minor: i64,
    pub(super) ending: Ending,
    /// What was not as it should be, besides the ending.
    pub(super) problems: Vec<String>,
}

/// Plays one customer's part.
pub(super) async fn play(
    shop: &Shop,
    catalogue: &Catalogue,
    scenario: Scenario,
    number: usize,
    start: Instant,
) -> CustomerRun {
    let order_mix = order_mix::fill(catalogue, scenario, number);
    let mut run = CustomerRun {
        scenario,
        order_id: None,
        placed_after: None,
        lines: order_mix.lines.clone(),
        total_minor: order_mix.total_minor,
        ending: Ending::Lost("not placed".to_owned()),
        problems: Vec::new(),
    };
    let key = format!("{}-{number}", catalogue.run);
    if let Err(error) = live(shop, &order_mix, &key, start, &mut run).await {
        run.problems.push(format!("{error:#}"));
    }
    run
}

async fn live(
    shop: &Shop,
    order_mix: &OrderMix<'_>,
    key: &str,
    start: Instant,
    run: &mut CustomerRun,
) -> anyhow::Result<()> {
    let placed = place(shop, order_mix, key).await?;
    run.placed_after = Some(start.elapsed());
    run.order_id = Some(placed.order_id.clone());
    run.ending = Ending::Lost("accepted, status unknown".to_owned());
    let id = placed.order_id.as_str();
    match run.scenario {
        Scenario::PlacedTwice => place_again(shop, order_mix, key, id).await?,
        Scenario::CancelledAtOnce => ask(shop, id, "cancel").await?,
        _ => {}
    }
    let mut order = rest(shop, id, run).await?;
    for request in later_requests(run.scenario) {
        // Where the order did not come so far, its ending says it.
        if !order.ending().is_fulfilled() {
            break;
        }
        ask(shop, id, request).await?;
        order = rest(shop, id, run).await?;
    }
    check(run, &order);
    Ok(())
}

/// What is asked of the order, one after the other, each time it rests.
fn later_requests(scenario: Scenario) -> &'static [&'static str] {
    match scenario {
        Scenario::CancelledLater => &["cancel"],
        Scenario::Dispatched => &["dispatch"],
        Scenario::Delivered => &["dispatch", "delivery"],
        _ => &[],
    }
}

async fn place(shop: &Shop, order_mix: &OrderMix<'_>, key: &str) -> anyhow::Result<OrderView> {
    shop.post("/orders", Some(&order_mix.request), Some(key)).await?.expect(&[200, 201])?.read()
}

/// The same key and body is the same order; the same key and another body is a mistake.
async fn place_again(
    shop: &Shop,
    order_mix: &OrderMix<'_>,
    key: &str,
    id: &str,
) -> anyhow::Result<()> {
    let again = place(shop, order_mix, key).await?;
    ensure!(
        again.order_id == id,
        "the same Idempotency-Key created a second order, {}",
        again.order_id
    );
    let other = json!({ "user_id": 1, "product_id": "other", "quantity": 1, "total_amount": 1 });
    shop.post("/orders", Some(&other), Some(key))
        .await?
        .expect(&[422])
        .context("the same Idempotency-Key with another body must be rejected")?;
    Ok(())
}

async fn ask(shop: &Shop, id: &str, request: &str) -> anyhow::Result<()> {
    let path = format!("/orders/{id}/{request}");
    shop.post(&path, None::<&()>, None).await?.expect(&[200, 202])?;
    Ok(())
}

/// Looks at the order until it rests. Past the limit it stays where it is, and the run says where.
async fn rest(shop: &Shop, id: &str, run: &mut CustomerRun) -> anyhow::Result<OrderView> {
    let until = Instant::now() + REST_LIMIT;
    let mut looks = 0;
    loop {
        let order = shop.get::<OrderView>(&format!("/orders/{id}")).await?;
        let order = order.context("an accepted order does not exist")?;
        run.ending = order.ending();
        if order.is_at_rest() {
            return Ok(order);
        }
        ensure!(Instant::now() < until, "not final after {} s", REST_LIMIT.as_secs());
        tokio::time::sleep(POLL.delay(looks)).await;
        looks += 1;
    }
}

/// Notes what an ending alone does not show.
fn check(run: &mut CustomerRun, order: &OrderView) {
    if order.total_amount != run.total_minor {
        let [stored, placed] = [order.total_amount, run.total_minor].map(decimal);
        run.problems.push(format!("total is {stored}, expected {placed}"));
    }
    let expected = match run.scenario {
        Scenario::UnknownProduct => "unknown_product",
        Scenario::LastUnits | Scenario::OneOfTwoShort => "insufficient_stock",
        _ => return,
    };
    if let Some(failure) = &order.failure
        && failure.reason != expected
    {
        run.problems.push(format!("failure reason is {}, expected {expected}", failure.reason));
    }
}
