//! The world that processes live in: it starts, kills, stops and confuses them, and then lets them be.

use super::Shared;
use super::broker::SimBroker;
use super::chance::Chance;
use super::fault::Fault;
use super::invariants::{self, Finding, Rule};
use super::panics::Panics;
use super::plan::{CALM_MAX, Plan, RunMode};
use super::process::{Running, start};
use super::script::{CustomerOutcome, Fleet};
use ordermill_actors::inventory::{CreateError, Stock};
use ordermill_actors::order::OrderReads;
use ordermill_actors::order::OrderSettings;
use ordermill_actors::testing::shop::{ShopSettings, ShopStores};
use ordermill_domain::backoff::Backoff;
use ordermill_domain::inventory::Quantity;
use ordermill_domain::messages::Flow;
use ordermill_domain::order::SagaPolicy;
use ordermill_domain::payment::{GatewayKey, PaymentPolicy, PaymentRow, State};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Processes of most simulations.
const PROCESSES: usize = 2;
/// Processes of some.
const PROCESSES_MAX: usize = 3;

/// How soon it is looked whether everything rests; then half as often each time.
const POLL_MIN: Duration = Duration::from_millis(250);
/// The longest between two looks.
const POLL_MAX: Duration = Duration::from_secs(8);

/// A payment that is looked at within this time is not at rest: polls are no further apart.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(6 * 60);

/// Findings that are kept of a run: the first say what is wrong.
const FOUND_MAX: usize = 20;

/// The world.
pub struct World {
    pub sim: Shared,
    pub stores: ShopStores,
    pub broker: SimBroker,
    pub fleet: Fleet,
    pub plan: Plan,
    /// The stock as it was at first.
    pub initial: Vec<(String, i64)>,
    /// What did not hold.
    pub found: Vec<Finding>,
    panics: Panics,
    started: u64,
}

impl World {
    /// A world with its processes running.
    pub async fn new(sim: Shared, plan: Plan) -> Self {
        let (stores, broker) = (ShopStores::default(), SimBroker::new(sim.clone()));
        let fleet = Fleet::default();
        let (initial, found, panics, started) = (Vec::new(), Vec::new(), Panics::heard(), 0);
        let mut world = Self { sim, stores, broker, fleet, plan, initial, found, panics, started };
        let count = if world.sim.chance.percent(20) { PROCESSES_MAX } else { PROCESSES };
        for _ in 0..count {
            let process = world.start_one().await;
            world.fleet.lock().push(Some(process));
        }
        world
    }

    fn processes(&self) -> usize {
        self.fleet.lock().len()
    }

    async fn start_one(&mut self) -> Running {
        self.started += 1;
        let chance = &self.sim.chance;
        let flow = if chance.percent(50) { Flow::Orchestrated } else { Flow::Choreographed };
        let plan = *chance
            .pick(&[Default::default(), ordermill_domain::messages::Plan::PaymentFirst])
            .unwrap_or(&Default::default());
        let (flow, plan) = self.plan.way.unwrap_or((flow, plan));
        let order_timeout = if chance.percent(30) { 60 } else { 900 };
        let dispatch_after = chance.percent(20).then_some(Duration::from_secs(10));
        let policy = match self.plan.mode {
            RunMode::Drawn => SagaPolicy {
                order_timeout: Duration::from_secs(order_timeout),
                dispatch_after,
                ..SagaPolicy::default()
            },
            // How an order ends must not hang on how long it took.
            RunMode::Ample => SagaPolicy { order_timeout: 100 * CALM_MAX, ..SagaPolicy::default() },
        };
        let order_timeout = policy.order_timeout;
        let order = OrderSettings { policy, flow, plan, ..OrderSettings::default() };
        let error_ms =
            if chance.percent(70) { 0 } else { chance.below(120_000).cast_signed() - 60_000 };
        let payment = PaymentPolicy { order_timeout, ..PaymentPolicy::default() };
        let settings = ShopSettings { order, payment, ..ShopSettings::default() };
        start(&self.sim, &self.broker, &self.stores, settings, (self.started, error_ms)).await
    }

    /// Some products, some of them scarce, or not there at all.
    pub async fn stock(&mut self, script: &Chance) {
        for number in 0..1 + script.below(4) {
            let units = match (self.plan.mode, script.below(10)) {
                (RunMode::Drawn, 0..5) => 5,
                (RunMode::Ample, 0..2) => 0,
                (RunMode::Drawn | RunMode::Ample, _) => 1_000,
            };
            let stock = self.fleet.lock()[0].as_ref().map(|process| process.shop.stock.clone());
            let product = format!("P{number}");
            self.initial.push((product.clone(), units));
            if let Some(stock) = stock {
                // Whoever stocks it asks again, of whoever lives, until it is there.
                let stocking = tokio::time::timeout(POLL_MAX, stock_one(&stock, &product, units));
                if stocking.await.is_err() {
                    self.stock_elsewhere(&product, units).await;
                }
            }
        }
    }

    async fn stock_elsewhere(&mut self, product: &str, units: i64) {
        loop {
            self.restart_dead().await;
            let doors: Vec<Stock> = {
                let processes = self.fleet.lock();
                processes.iter().flatten().map(|process| process.shop.stock.clone()).collect()
            };
            for stock in doors {
                let stocking = tokio::time::timeout(POLL_MAX, stock_one(&stock, product, units));
                if stocking.await.is_ok() {
                    return;
                }
            }
        }
    }

    /// For a while, things happen to the processes and the broker.
    pub async fn inject_faults(&mut self) {
        let until = Instant::now() + Duration::from_secs(10 + self.sim.chance.below(50));
        while Instant::now() < until && self.found.is_empty() {
            tokio::time::sleep(self.sim.chance.pause(Duration::from_secs(8))).await;
            self.restart_dead().await;
            let which = self.sim.chance.below(self.processes() as u64);
            let which = usize::try_from(which).unwrap_or(0);
            match self.sim.chance.below(8) {
                0 | 1 => self.kill_or_start(which).await,
                2 => self.stop_for_a_while(which),
                3 => {
                    self.sim.happened(Fault::Reconnected);
                    self.broker.reconnect_all();
                }
                4 => self.set_clock(which),
                _ => self.kill_an_actor(which),
            }
            self.check_now();
        }
    }

    /// What died in mid-work is noticed, and started again.
    async fn restart_dead(&mut self) {
        for which in 0..self.processes() {
            let dead = self.fleet.lock()[which].take_if(|process| process.gate.is_dead());
            if let Some(process) = dead {
                process.kill(&self.broker);
                let process = self.start_one().await;
                self.fleet.lock()[which] = Some(process);
            }
        }
    }

    async fn kill_or_start(&mut self, which: usize) {
        let gone = self.fleet.lock()[which].take();
        match gone {
            Some(process) => {
                self.sim.happened(Fault::Killed);
                self.sim.trace.say(format_args!("process {} is killed", process.gate.number));
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
        let Some(gate) = self.fleet.lock()[which].as_ref().map(|process| process.gate.clone())
        else {
            return;
        };
        let length = self.sim.chance.pause(Duration::from_secs(90));
        self.sim.happened(Fault::Stopped);
        self.sim.trace.say(format_args!("process {} is stopped for {length:?}", gate.number));
        gate.stop();
        let broker = self.broker.clone();
        tokio::spawn(async move {
            tokio::time::sleep(length).await;
            if length > Duration::from_secs(20) {
                broker.reconnect_all();
            }
            gate.go_on();
        });
    }

    fn set_clock(&self, which: usize) {
        let error_ms = self.sim.chance.below(7_200_000).cast_signed() - 3_600_000;
        let error_ms = if self.sim.chance.percent(50) { error_ms / 60 } else { error_ms };
        if let Some(process) = &self.fleet.lock()[which] {
            let number = process.gate.number;
            self.sim.happened(Fault::ClockSet);
            self.sim.trace.say(format_args!("clock of process {number} is off by {error_ms} ms"));
            process.clock.set(error_ms);
        }
    }

    /// An actor is killed, also in the middle of what it handles; its supervisor starts it again.
    fn kill_an_actor(&self, which: usize) {
        let processes = self.fleet.lock();
        let Some(process) = &processes[which] else { return };
        let names = process.shop.process.tree.names();
        if let Some(name) = self.sim.chance.pick(&names) {
            self.sim.happened(Fault::ActorKilled);
            self.sim.trace.say(format_args!("{} restarts {name}", process.gate.number));
            process.shop.restart(name);
        }
    }

    /// From now on nothing goes wrong: every process runs, and its clock is right.
    pub async fn calm(&mut self) {
        self.sim.trace.say(format_args!("calm"));
        self.sim.stop_faults();
        self.restart_dead().await;
        for which in 0..self.processes() {
            if self.fleet.lock()[which].is_none() {
                self.kill_or_start(which).await;
            }
            if let Some(process) = &self.fleet.lock()[which] {
                process.gate.go_on();
                process.clock.set(0);
            }
        }
    }

    /// Looks whether what must be true at any moment is true.
    fn check_now(&mut self) {
        for what in self.panics.take() {
            // The stock table's own constraint, which stands behind all deciding.
            let rule = if what.contains("CHECK fails") { Rule::Stock } else { Rule::Panic };
            self.found.push(Finding::new(rule, what));
        }
        self.found.extend(invariants::check_now(&self.stores, &self.initial));
        self.found.truncate(FOUND_MAX);
    }

    /// Payments that are asked about soon, or have ended and do not know yet of money that came too late.
    fn unsettled_payments(&self) -> usize {
        let soon = self.stores.world.now() + LOOKED_AT_WITHIN;
        let ledger = &self.stores.gateway;
        let with_money: BTreeSet<GatewayKey> = ledger.with(|ledger| {
            let entries = ledger.entries().filter(|entry| entry.held_minor() > 0);
            entries.map(|entry| entry.key).collect()
        });
        let is_unsettled = |row: &&PaymentRow| {
            let is_ended = matches!(row.payment.state, State::Ended { .. });
            let is_late = is_ended && with_money.contains(&GatewayKey::of(row.order_id));
            is_late || row.due_at().is_some_and(|due_at| due_at <= soon)
        };
        self.stores.payment.with(|tables| tables.rows().filter(is_unsettled).count())
    }

    /// Waits until every order rests and everything that was said is heard; then checks the invariants.
    pub async fn come_to_rest(&mut self, bought: &[CustomerOutcome]) {
        let begun = Instant::now();
        let (poll, mut looks) = (Backoff::new(POLL_MIN, POLL_MAX), 0);
        while self.found.is_empty() {
            let mut open = 0;
            for CustomerOutcome { order, .. } in bought {
                let saga = self.stores.order.order(*order).await.ok().flatten();
                open += usize::from(!saga.is_some_and(|saga| saga.is_at_rest()));
            }
            let (unpublished, unobserved) = (self.stores.outbox_len(), self.broker.open());
            let unsettled = self.unsettled_payments();
            if open + unpublished + unobserved + unsettled == 0 {
                break;
            }
            if begun.elapsed() > self.plan.patience {
                let what = format!(
                    "{open} orders and {unsettled} payments are not at rest; {unpublished} outbox rows \
                        and {unobserved} messages are left"
                );
                self.found.push(Finding::new(Rule::Rest, what));
                break;
            }
            tokio::time::sleep(poll.delay(looks)).await;
            looks += 1;
            self.check_now();
        }
        self.check_now();
        if self.found.iter().all(|finding| finding.rule == Rule::Rest) {
            self.found.extend(invariants::check(&self.stores, bought, &self.initial).await);
            self.found.truncate(FOUND_MAX);
        }
    }
}

async fn stock_one(stock: &Stock, product: &str, units: i64) {
    let Some(quantity) = Quantity::new(units) else { return };
    loop {
        match stock.create(product.into(), quantity).await {
            Ok(_) | Err(CreateError::Exists) => return,
            Err(CreateError::Impossible(_) | CreateError::Unavailable(_)) => {
                tokio::time::sleep(POLL_MIN).await;
            }
        }
    }
}
