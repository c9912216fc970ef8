//! One seed: a shop, its customers, and everything that goes wrong; then calm, and the books.

use super::broker::SimBroker;
use super::chance::Chance;
use super::process::{Running, start, unsaid};
use super::script::{Bought, Fleet, customer, wanted};
use super::trace::Trace;
use super::{Rates, Shared, Sim, books};
use crate::messages::Flow;
use crate::order::OrderReads;
use crate::order::SagaPolicy;
use crate::services::OrderSettings;
use crate::testing::shop::{ShopSettings, ShopStores};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::time::Instant;

/// Processes of every simulation.
const PROCESSES: usize = 2;

/// The longest that orders may take to come to rest once nothing goes wrong any more: the longest
/// back-off of a re-send, a few times over.
const CALM_MAX: Duration = Duration::from_secs(3 * 3_600);

/// How often it is looked whether everything rests.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is to be simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed: it decides everything.
    pub seed: u64,
    /// Keep what happened, line by line, to be read.
    pub kept: bool,
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
    /// Orders placed.
    pub orders: usize,
    /// What does not balance; empty when all is well.
    pub wrong: Vec<String>,
    /// What happened, if it was kept.
    pub lines: Vec<String>,
}

/// Runs one seed, in a runtime of its own.
pub fn run(plan: Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing that could be missing");
    runtime.block_on(simulate(plan))
}

async fn simulate(Plan { seed, kept }: Plan) -> Outcome {
    let chance = Chance::new(seed);
    let rates = Rates::drawn(&chance);
    let sim: Shared =
        Arc::new(Sim { chance, trace: Trace::new(kept), rates, calm: AtomicBool::new(false) });
    sim.trace.say(format_args!("seed {seed}: {rates:?}"));
    let (stores, broker, fleet) =
        (ShopStores::default(), SimBroker::new(sim.clone()), Fleet::default());
    let mut world = WorldOf { sim: sim.clone(), stores, broker, fleet, started: 0 };
    for _ in 0..PROCESSES {
        let process = world.start_one().await;
        world.fleet.lock().push(Some(process));
    }
    let initial = world.stock().await;
    let products: Vec<String> = initial.iter().map(|(product, _)| product.clone()).collect();

    let count = usize::try_from(1 + sim.chance.below(15)).unwrap_or(1);
    let customers: Vec<_> = (0..count)
        .map(|number| {
            let details = wanted(&sim, &products);
            tokio::spawn(customer(sim.clone(), world.fleet.clone(), number, details))
        })
        .collect();
    world.trouble().await;
    world.calm().await;
    let mut bought: Vec<Bought> = Vec::new();
    for customer in customers {
        if let Ok(one) = customer.await {
            bought.push(one);
        }
    }
    let rested = world.come_to_rest(&bought).await;
    let mut wrong = books::check(&world.stores, &bought, &initial).await;
    if let Err(why) = rested {
        wrong.push(why);
    }
    let (hash, events, lines) = sim.trace.read();
    Outcome { seed, hash, events, orders: bought.len(), wrong, lines }
}

struct WorldOf {
    sim: Shared,
    stores: ShopStores,
    broker: SimBroker,
    fleet: Fleet,
    started: u64,
}

impl WorldOf {
    async fn start_one(&mut self) -> Running {
        self.started += 1;
        let chance = &self.sim.chance;
        let flow = if chance.percent(50) { Flow::Orchestrated } else { Flow::Choreographed };
        let plan = *chance
            .pick(&[Default::default(), crate::messages::Plan::PaymentFirst])
            .unwrap_or(&Default::default());
        let order = OrderSettings {
            policy: SagaPolicy {
                order_timeout: Duration::from_secs(if chance.percent(30) { 60 } else { 900 }),
                dispatch_after: chance.percent(20).then_some(Duration::from_secs(10)),
                ..SagaPolicy::default()
            },
            flow,
            plan,
            ..OrderSettings::default()
        };
        let error_ms =
            if chance.percent(70) { 0 } else { chance.below(120_000).cast_signed() - 60_000 };
        let settings = ShopSettings { order, ..ShopSettings::default() };
        start(&self.sim, &self.broker, &self.stores, settings, (self.started, error_ms)).await
    }

    /// Some products, some of them scarce.
    async fn stock(&self) -> Vec<(String, i64)> {
        let count = 1 + self.sim.chance.below(4);
        let mut initial = Vec::new();
        for number in 0..count {
            let units = if self.sim.chance.percent(50) { 5 } else { 1_000 };
            let stock = self.fleet.lock()[0].as_ref().map(|process| process.shop.stock.clone());
            let product = format!("P{number}");
            if let Some(stock) = stock {
                stock_one(&stock, &product, units).await;
            }
            initial.push((product, units));
        }
        initial
    }

    /// For a while, things happen to the processes and the broker.
    async fn trouble(&mut self) {
        let until = Instant::now() + Duration::from_secs(10 + self.sim.chance.below(50));
        while Instant::now() < until {
            tokio::time::sleep(self.sim.chance.pause(Duration::from_secs(8))).await;
            let which = usize::try_from(self.sim.chance.below(PROCESSES as u64)).unwrap_or(0);
            match self.sim.chance.below(8) {
                0 | 1 => self.kill_or_start(which).await,
                2 => self.stop_for_a_while(which),
                3 => self.broker.reconnect_all(),
                4 => self.set_clock(which),
                _ => self.restart_an_actor(which),
            }
        }
    }

    async fn kill_or_start(&mut self, which: usize) {
        let gone = self.fleet.lock()[which].take();
        match gone {
            Some(process) => {
                self.sim.trace.say(format_args!("process {} is killed", process.life.number));
                process.kill(&self.broker);
            }
            None => {
                let process = self.start_one().await;
                self.fleet.lock()[which] = Some(process);
            }
        }
    }

    /// Stopped, and woken again; longer than a heartbeat, the broker gives its work to others.
    fn stop_for_a_while(&self, which: usize) {
        let Some(life) = self.fleet.lock()[which].as_ref().map(|process| process.life.clone())
        else {
            return;
        };
        let length = self.sim.chance.pause(Duration::from_secs(90));
        self.sim.trace.say(format_args!("process {} is stopped for {length:?}", life.number));
        life.stop();
        let broker = self.broker.clone();
        tokio::spawn(async move {
            tokio::time::sleep(length).await;
            if length > Duration::from_secs(20) {
                broker.reconnect_all();
            }
            life.go_on();
        });
    }

    fn set_clock(&self, which: usize) {
        let error_ms = self.sim.chance.below(7_200_000).cast_signed() - 3_600_000;
        let error_ms = if self.sim.chance.percent(50) { error_ms / 60 } else { error_ms };
        if let Some(process) = &self.fleet.lock()[which] {
            self.sim
                .trace
                .say(format_args!("process {} is off by {error_ms} ms", process.life.number));
            process.clock.set(error_ms);
        }
    }

    fn restart_an_actor(&self, which: usize) {
        let processes = self.fleet.lock();
        let Some(process) = &processes[which] else { return };
        let tree = &process.shop.process.tree;
        let names = tree.names();
        if let Some(name) = self.sim.chance.pick(&names) {
            self.sim.trace.say(format_args!("{} restarts {name}", process.life.number));
            tree.restart(name);
        }
    }

    /// From now on nothing goes wrong: every process runs, and its clock is right.
    async fn calm(&mut self) {
        self.sim.trace.say(format_args!("calm"));
        self.sim.calm_down();
        for which in 0..PROCESSES {
            if self.fleet.lock()[which].is_none() {
                self.kill_or_start(which).await;
            }
            if let Some(process) = &self.fleet.lock()[which] {
                process.life.go_on();
                process.clock.set(0);
            }
        }
    }

    /// Waits until every order rests and everything that was said is heard.
    async fn come_to_rest(&self, bought: &[Bought]) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let mut open = 0;
            for Bought { order, .. } in bought {
                let saga = self.stores.order.order(*order).await.ok().flatten();
                open += usize::from(!saga.is_some_and(|saga| saga.is_at_rest()));
            }
            let (unsaid, unheard) = (unsaid(&self.stores), self.broker.open());
            if open + unsaid + unheard == 0 {
                return Ok(());
            }
            if begun.elapsed() > CALM_MAX {
                return Err(format!(
                    "{open} orders do not rest, {unsaid} outbox rows and {unheard} messages are left"
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn stock_one(stock: &crate::inventory::Stock, product: &str, units: i64) {
    use crate::inventory::{CreateError, Quantity};
    let Some(quantity) = Quantity::new(units) else { return };
    loop {
        match stock.create(product.into(), quantity).await {
            Ok(_) | Err(CreateError::Exists) => return,
            Err(CreateError::Unavailable(_)) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
