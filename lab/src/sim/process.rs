//! A process of the simulation: all services, on stores and a broker that it shares with others.

use super::Shared;
use super::broker::{Connection, SimBroker};
use super::clock::SimClock;
use super::faulty_gateway::FaultyGateway;
use super::process_gate::ProcessGate;
use super::store::SimStore;
use ordermill_actors::testing::MemoryStore;
use ordermill_actors::testing::shop::{Backing, Reads, Shop, ShopSettings, ShopStores};
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
    let mine = owned(stores, number);
    let order = failing(&mine.order, &gate, sim);
    let inventory = failing(&mine.inventory, &gate, sim);
    let payment = failing(&mine.payment, &gate, sim);
    let gateway = failing(&mine.gateway, &gate, sim);
    let reads = Reads {
        order: order.clone(),
        due: order.clone(),
        inventory: inventory.clone(),
        payment: payment.clone(),
        gateway: gateway.clone(),
    };
    let line = GatewayParts { gate: gate.clone(), sim: sim.clone() };
    let backing = Backing {
        world,
        broker: Arc::new(Connection { broker: broker.clone(), gate: gate.clone() }),
        reads,
        order,
        inventory,
        payment,
        gateway,
        shipping: failing(&mine.shipping, &gate, sim),
        notification: failing(&mine.notification, &gate, sim),
        audit: failing(&mine.audit, &gate, sim),
        line: Box::new(move |gateway| {
            let GatewayParts { gate, sim } = line;
            Arc::new(FaultyGateway { gateway, gate, sim })
        }),
        alone: false,
    };
    sim.trace.say(format_args!("process {number} starts"));
    let shop = Shop::open_on(mine, backing, settings).await;
    Running { shop, gate, clock }
}

struct GatewayParts {
    gate: ProcessGate,
    sim: Shared,
}

fn failing<T>(memory: &MemoryStore<T>, gate: &ProcessGate, sim: &Shared) -> Arc<SimStore<T>> {
    Arc::new(SimStore { memory: memory.clone(), gate: gate.clone(), sim: sim.clone() })
}

fn owned(stores: &ShopStores, owner: u64) -> ShopStores {
    ShopStores {
        world: stores.world.clone(),
        order: stores.order.owned_by(owner),
        inventory: stores.inventory.owned_by(owner),
        payment: stores.payment.owned_by(owner),
        gateway: stores.gateway.owned_by(owner),
        shipping: stores.shipping.owned_by(owner),
        notification: stores.notification.owned_by(owner),
        audit: stores.audit.owned_by(owner),
    }
}

impl Running {
    /// Kills it (SIGKILL): what it had under way never happens.
    pub fn kill(self, broker: &SimBroker) {
        let number = self.gate.number;
        self.gate.kill();
        let stores = self.shop.kill();
        broker.disconnect(number);
        stores.order.owner_died(number);
        stores.inventory.owner_died(number);
        stores.payment.owner_died(number);
        stores.gateway.owner_died(number);
        stores.shipping.owner_died(number);
        stores.notification.owner_died(number);
        stores.audit.owner_died(number);
    }
}

/// How many outbox rows wait in all databases.
pub fn unpublished(stores: &ShopStores) -> usize {
    stores.order.outbox_len()
        + stores.inventory.outbox_len()
        + stores.payment.outbox_len()
        + stores.gateway.outbox_len()
        + stores.shipping.outbox_len()
        + stores.notification.outbox_len()
        + stores.audit.outbox_len()
}
