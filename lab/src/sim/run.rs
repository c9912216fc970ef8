//! One seed: a shop, its customers, and everything that goes wrong; then calm, and the invariants.

use super::chance::Chance;
use super::fault::{Coverage, Fault, Rates};
use super::invariants::{Finding, OrderHoldings, Rule};
use super::plan::{Plan, RunMode};
use super::script::{AtPage, Customer, CustomerOutcome, Customers, scenario, wanted};
use super::trace::Trace;
use super::world::World;
use super::{Shared, Sim};
use ordermill_actors::order::OrderReads;
use ordermill_domain::order::OrderStatus;
use ordermill_domain::planted::Planted;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What customers want is drawn apart from what goes wrong, so that the same customers can be sent
/// through different worlds.
const SCRIPT: u64 = 0x5C21_97D0_3A6E_B84F;

/// Of so many seeds one has customers who know what they want.
const INSISTING_EVERY: u64 = 4;

/// How a customer's order has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its status.
    pub status: Option<OrderStatus>,
    /// What the gateway holds for it.
    pub held_minor: i64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash of everything that happened, in order.
    pub hash: u64,
    /// How much happened.
    pub events: u64,
    /// How the orders have ended, by customer.
    pub orders: Vec<End>,
    /// What is left of each product: units that are there, and those of them that are reserved.
    pub stock: BTreeMap<String, (i64, i64)>,
    /// What went wrong, and what was handled.
    pub coverage: Coverage,
    /// What does not hold; empty when all is well.
    pub found: Vec<Finding>,
    /// What happened, if it was kept.
    pub lines: Vec<String>,
}

/// Runs one seed, in a runtime of its own.
pub fn run(plan: Plan) -> Outcome {
    let planted = Planted::here(plan.bug);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing that could be missing");
    let outcome = runtime.block_on(simulate(plan));
    drop(runtime);
    drop(planted);
    outcome
}

async fn simulate(plan: Plan) -> Outcome {
    let seed = plan.seed;
    let (chance, script) = (Chance::new(seed), Chance::new(seed ^ SCRIPT));
    let rates = match plan.mode {
        RunMode::Drawn => Rates::drawn(&chance),
        // An order that the gateway lies about is cancelled, and rightly so.
        RunMode::Ample => Rates::drawn(&chance).without(Fault::WrongAmount),
    };
    let sim: Shared = Arc::new(Sim::new(seed, chance, rates, Trace::new(plan.kept)));
    sim.trace.say(format_args!("seed {seed}: {:?}", sim.rates));
    let mut world = World::new(sim.clone(), plan).await;
    world.stock(&script).await;
    let products: Vec<String> = world.initial.iter().map(|(product, _)| product.clone()).collect();

    let customers =
        Customers { sim: sim.clone(), fleet: world.fleet.clone(), stores: world.stores.clone() };
    let count = usize::try_from(1 + script.below(15)).unwrap_or(1);
    // Left to what comes to their minds, customers hardly ever get to the end of a fulfilled order.
    let is_insisting = plan.mode == RunMode::Ample || seed % INSISTING_EVERY == 1;
    let customers: Vec<_> = (0..count)
        .map(|number| {
            let details = wanted(&script, &products);
            let scenario = is_insisting.then(|| scenario(&script));
            let at_page = AtPage::drawn(&script, plan.mode == RunMode::Ample);
            tokio::spawn(customers.clone().visit(Customer { number, details, scenario, at_page }))
        })
        .collect();
    world.inject_faults().await;
    world.calm().await;
    let mut bought: Vec<CustomerOutcome> = Vec::new();
    for (number, customer) in customers.into_iter().enumerate() {
        match tokio::time::timeout(plan.patience, customer).await {
            Ok(Ok(one)) => bought.push(one),
            Ok(Err(_)) | Err(_) => {
                let what = format!("customer {number} does not finish");
                world.found.push(Finding::new(Rule::Rest, what));
            }
        }
    }
    world.come_to_rest(&bought).await;
    finish(&sim, world, &bought).await
}

async fn finish(sim: &Shared, world: World, bought: &[CustomerOutcome]) -> Outcome {
    let mut orders = Vec::new();
    for CustomerOutcome { order, .. } in bought {
        let saga = world.stores.order.order(*order).await.ok().flatten();
        let status = saga.map(|saga| saga.status());
        orders.push(End { status, held_minor: OrderHoldings::of(&world.stores, *order).held });
    }
    let stock = world.stores.inventory.with(|tables| {
        let row = |row: &ordermill_domain::inventory::StockRow| (row.on_hand, row.reserved);
        tables.stock.values().map(|stock| (stock.product_id.to_string(), row(stock))).collect()
    });
    let (hash, events, lines) = sim.trace.read();
    let (seed, found) = (world.plan.seed, world.found);
    let coverage = sim.coverage().clone();
    Outcome { seed, hash, events, orders, stock, coverage, found, lines }
}
