//! A process of the simulation: all services, on stores and a broker that it shares with others.

use super::Shared;
use super::broker::{Connection, SimBroker};
use super::clock::SimClock;
use super::faulty_gateway::FaultyLine;
use super::process_gate::ProcessGate;
use super::store::SimStore;
use ordermill_actors::ports::Database;
use ordermill_actors::registry::ServiceDatabases;
use ordermill_actors::testing::MemoryStore;
use ordermill_actors::testing::shop::{Backing, Shop, ShopSettings, ShopStores};
use ordermill_actors::testing::stores::{InMemory, Wrap};
use ordermill_domain::clock::World;
use std::sync::Arc;

/// A process that was started.
pub struct Running {
    pub shop: Shop,
    pub gate: ProcessGate,
    pub clock: Arc<SimClock>,
}

/// Starts a process. `number` is no other's, before or after.
pub async fn start(
    sim: &Shared,
    broker: &SimBroker,
    stores: &ShopStores,
    settings: ShopSettings,
    (number, clock_error_ms): (u64, i64),
) -> Running {
    let gate = ProcessGate::new(number);
    let clock = Arc::new(SimClock::new(stores.world.clock.clone(), clock_error_ms));
    let world = World { clock: clock.clone(), ids: stores.world.ids.clone() };
    let mine = stores.owned_by(number);
    let between = SimDatabases { gate: gate.clone(), sim: sim.clone() };
    let backing = Backing {
        world,
        broker: Arc::new(Connection { broker: broker.clone(), gate: gate.clone() }),
        databases: between.databases(&mine),
        line: Box::new(FaultyLine::new(gate.clone(), sim.clone())),
        alone: false,
    };
    sim.trace.say(format_args!("process {number} starts"));
    let shop = Shop::open_on(mine, backing, settings).await;
    Running { shop, gate, clock }
}

/// Databases and a gateway that fail.
struct SimDatabases {
    gate: ProcessGate,
    sim: Shared,
}

impl SimDatabases {
    /// The databases as a process opens them. Commits and loads of its actors may fail; other reads do not.
    fn databases(&self, stores: &ShopStores) -> ServiceDatabases {
        let mut databases = stores.databases(self);
        let ServiceDatabases { order, inventory, payment, gateway, .. } = &mut databases;
        order.iter_mut().for_each(|opened| opened.reads = self.failing(&stores.order));
        inventory.iter_mut().for_each(|opened| opened.reads = self.failing(&stores.inventory));
        payment.iter_mut().for_each(|opened| opened.reads = self.failing(&stores.payment));
        gateway.iter_mut().for_each(|opened| opened.reads = self.failing(&stores.gateway));
        databases
    }

    fn failing<T>(&self, memory: &MemoryStore<T>) -> Arc<SimStore<T>> {
        let (gate, sim) = (self.gate.clone(), self.sim.clone());
        Arc::new(SimStore { memory: memory.clone(), gate, sim })
    }
}

impl Wrap for SimDatabases {
    fn wrap<S: InMemory>(&self, memory: MemoryStore<S::Memory>) -> Arc<dyn Database<S>> {
        self.failing(&memory)
    }
}

impl Running {
    /// Kills it (SIGKILL): what it had under way never happens.
    pub fn kill(self, broker: &SimBroker) {
        let number = self.gate.number;
        self.gate.kill();
        let stores = self.shop.kill();
        broker.disconnect(number);
        stores.owner_died(number);
    }
}
