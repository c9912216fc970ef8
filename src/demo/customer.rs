//! One customer: places an order, does what its scenario asks for, and waits until it rests.

use super::catalogue::{Catalogue, decimal};
use super::currency::CURRENCY;
use super::gateway_page;
use super::order_mix::{self, OrderMix};
use super::scenario::{Ending, Scenario};
use anyhow::{Context, bail, ensure};
use ordermill_client::{Client, Error, Order, StatusCode};
use ordermill_domain::backoff::Backoff;
use ordermill_domain::money::Money;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long an order may take to rest. A gateway that stays silent takes seconds, everything else less.
const REST_LIMIT: Duration = Duration::from_secs(60);
/// The pauses before an order is looked at again.
const POLL: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(800));

/// What became of one customer's order.
pub(super) struct CustomerRun {
    pub(super) scenario: Scenario,
    /// None when it could not be placed.
    pub(super) order_id: Option<Uuid>,
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
    shop: &Client,
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
    shop: &Client,
    order_mix: &OrderMix<'_>,
    key: &str,
    start: Instant,
    run: &mut CustomerRun,
) -> anyhow::Result<()> {
    let id = shop.place(&order_mix.request, Some(key)).await.context("POST /orders")?;
    run.placed_after = Some(start.elapsed());
    run.order_id = Some(id);
    run.ending = Ending::Lost("accepted, status unknown".to_owned());
    match run.scenario {
        Scenario::PlacedTwice => place_again(shop, order_mix, key, id).await?,
        Scenario::CancelledAtOnce => ask(shop, id, "cancel").await?,
        Scenario::PaidAtPage => gateway_page::open(shop, id).await?.choose(shop, "pay").await?,
        Scenario::NeverPaid => gateway_page::open(shop, id).await?.choose(shop, "leave").await?,
        Scenario::PaidTooLate => return pay_too_late(shop, id, run).await,
        _ => {}
    }
    let mut order = rest(shop, id, run).await?;
    for request in later_requests(run.scenario) {
        // Where the order did not come so far, its ending says it.
        if !Ending::of(&order).is_fulfilled() {
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

/// The same key and body is the same order; the same key and another body is a mistake.
async fn place_again(
    shop: &Client,
    order_mix: &OrderMix<'_>,
    key: &str,
    id: Uuid,
) -> anyhow::Result<()> {
    let again = shop.place(&order_mix.request, Some(key)).await.context("POST /orders")?;
    ensure!(again == id, "the same Idempotency-Key created a second order, {again}");
    let other = json!({ "user_id": 1, "product_id": "other", "quantity": 1, "total_amount": 1 });
    let expected = "the same Idempotency-Key with another body must be rejected";
    match shop.place(&other, Some(key)).await {
        Err(Error::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, .. }) => Ok(()),
        Err(error) => Err(error).context(expected),
        Ok(_) => bail!(expected),
    }
}

/// Cancels at the page and pays there after that: the money comes back.
async fn pay_too_late(shop: &Client, id: Uuid, run: &mut CustomerRun) -> anyhow::Result<()> {
    let page = gateway_page::open(shop, id).await?;
    ask(shop, id, "cancel").await?;
    rest(shop, id, run).await?;
    page.choose(shop, "pay").await?;
    let until = Instant::now() + REST_LIMIT;
    let mut looks = 0;
    loop {
        let order = shop.order(id).await.with_context(|| format!("GET /orders/{id}"))?;
        run.ending = Ending::of(&order);
        let payment = order.payment.as_ref();
        let is_back = payment.is_some_and(|payment| {
            payment.attention.as_deref() == Some("late_money") && payment.status == "REVERSED"
        });
        if is_back {
            check(run, &order);
            return Ok(());
        }
        ensure!(Instant::now() < until, "late money not refunded after {} s", REST_LIMIT.as_secs());
        tokio::time::sleep(POLL.delay(looks)).await;
        looks += 1;
    }
}

async fn ask(shop: &Client, id: Uuid, request: &str) -> anyhow::Result<()> {
    let answer = shop.request_of(id, request).await;
    answer.with_context(|| format!("POST /orders/{id}/{request}"))
}

/// Looks at the order until it rests. Past the limit it stays where it is, and the run says where.
async fn rest(shop: &Client, id: Uuid, run: &mut CustomerRun) -> anyhow::Result<Order> {
    let until = Instant::now() + REST_LIMIT;
    let mut looks = 0;
    loop {
        let order = shop.order(id).await.with_context(|| format!("GET /orders/{id}"))?;
        run.ending = Ending::of(&order);
        if order.is_at_rest() {
            return Ok(order);
        }
        ensure!(Instant::now() < until, "not final after {} s", REST_LIMIT.as_secs());
        tokio::time::sleep(POLL.delay(looks)).await;
        looks += 1;
    }
}

/// Notes what an ending alone does not show.
fn check(run: &mut CustomerRun, order: &Order) {
    let stored = order.total_amount.get();
    if Money::parse(stored, CURRENCY).map(|total| total.minor) != Ok(run.total_minor) {
        run.problems.push(format!("total is {stored}, expected {}", decimal(run.total_minor)));
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
