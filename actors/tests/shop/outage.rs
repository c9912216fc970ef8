//! Ten minutes without the broker, or without a service, under load: no storm of commands afterwards.

use async_trait::async_trait;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::order::RequestContext;
use ordermill_actors::ports::{
    Broker, BrokerError, ConfirmCallback, DeliverySink, Depth, Health, Subscription,
};
use ordermill_actors::testing::shop::{Backing, Shop, ShopSettings, ShopStores, WAYS, Way};
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::messages::{FEEDS, Queue, queues_for};
use ordermill_domain::order::OrderStatus;
use ordermill_domain::outbox::OutboundMessage;
use ordermill_domain::testing::order_of;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Orders that are placed in the outage.
const ORDERS: u32 = 1_000;
/// How long the outage lasts.
const OUTAGE: Duration = Duration::from_secs(600);
/// The part that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    /// Nothing.
    Nobody,
    /// The broker takes nothing.
    Broker,
    /// Nobody consumes this service's queues.
    Service(ServiceName),
}

/// A broker that counts each order's messages, and loses sight of one or all of its consumers.
#[derive(Clone)]
struct Line {
    broker: LocalBroker,
    state: Arc<Mutex<State>>,
}

struct State {
    away: Away,
    held: Vec<(OutboundMessage, ConfirmCallback)>,
    said: BTreeMap<OrderId, usize>,
}

impl Line {
    fn new(away: Away) -> Self {
        let state = State { away, held: Vec::new(), said: BTreeMap::new() };
        Self { broker: LocalBroker::default(), state: Arc::new(Mutex::new(state)) }
    }

    /// Whatever was away is back, and takes what has waited for it.
    fn comes_back(&self) {
        let held = {
            let mut state = self.state.lock().unwrap();
            state.away = Away::Nobody;
            std::mem::take(&mut state.held)
        };
        held.into_iter().for_each(|(message, confirm)| self.broker.publish(message, confirm));
    }

    fn said(&self) -> BTreeMap<OrderId, usize> {
        self.state.lock().unwrap().said.clone()
    }
}

fn queues_of(message: &OutboundMessage) -> Vec<Queue> {
    message.only.clone().unwrap_or_else(|| queues_for(message.exchange, &message.body))
}

#[async_trait]
impl Broker for Line {
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback) {
        let mut state = self.state.lock().unwrap();
        if !FEEDS.contains(&message.exchange) {
            for message in message.body.messages() {
                *state.said.entry(message.order_id()).or_default() += 1;
            }
        }
        let held = match state.away {
            Away::Nobody => false,
            Away::Broker => true,
            Away::Service(name) => queues_of(&message).iter().any(|queue| queue.service() == name),
        };
        if held {
            return state.held.push((message, confirm));
        }
        drop(state);
        self.broker.publish(message, confirm);
    }

    async fn subscribe(
        &self,
        queue: Queue,
        prefetch: usize,
        sink: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        self.broker.subscribe(queue, prefetch, sink).await
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        let mut depths = self.broker.depths().await?;
        let state = self.state.lock().unwrap();
        match state.away {
            Away::Nobody => {}
            Away::Broker => return Err(BrokerError("away".to_owned())),
            Away::Service(_) => {
                for queue in state.held.iter().flat_map(|(message, _)| queues_of(message)) {
                    let depth = depths.iter_mut().find(|depth| depth.queue == queue).unwrap();
                    (depth.ready, depth.consumers) = (depth.ready + 1, 0);
                }
            }
        }
        Ok(depths)
    }

    fn health(&self) -> Health {
        match self.state.lock().unwrap().away {
            Away::Broker => Health::Away("the test has it away".to_owned()),
            Away::Nobody | Away::Service(_) => Health::Connected,
        }
    }
}

/// Places orders from the outage's beginning to its end; how many messages each took in all.
async fn messages_in_an_outage(way: Way, away: Away, count: u32) -> Vec<usize> {
    let line = Line::new(away);
    let stores = ShopStores::default();
    let backing = Backing { broker: Arc::new(line.clone()), ..Backing::plain(&stores) };
    let shop = Shop::open_on(stores, backing, ShopSettings::of(way)).await;
    shop.stock("MUG", 1_000_000).await;
    let mut orders = Vec::new();
    for _ in 0..count {
        let order = order_of(&[("MUG", 1)], "credit_card");
        let placed = shop.orders.place(order, RequestContext::default(), None).await.unwrap();
        orders.push(placed.order_id);
        tokio::time::sleep(OUTAGE / count).await;
    }
    line.comes_back();
    for order in &orders {
        let saga = shop.rested(*order).await;
        assert_eq!(saga.status(), OrderStatus::Confirmed, "{way:?} without {away:?}");
    }
    shop.assert_no_dead_letters();
    let said = line.said();
    shop.kill();
    orders.iter().map(|order| said[order]).collect()
}

/// None of them takes more than the whole conversation twice, and all together hardly more than usual.
async fn no_storm_without(away: Away) {
    for way in WAYS {
        let usual = messages_in_an_outage(way, Away::Nobody, 10).await;
        let each = usual[0];
        assert!(usual.iter().all(|said| *said == each), "{way:?}: undisturbed, all take the same");
        let said = messages_in_an_outage(way, away, ORDERS).await;
        let (most, all) = (*said.iter().max().unwrap(), said.iter().sum::<usize>());
        let usual = each * said.len();
        eprintln!(
            "{way:?} without {away:?}: {all} messages, usually {usual}; at the most {most} an order"
        );
        assert!(most <= 2 * each, "{way:?} without {away:?}: {most}, usually {each}");
        assert!(all <= usual + usual / 20, "{way:?} without {away:?}: {all}, usually {usual}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_without_the_broker_end_without_a_storm() {
    no_storm_without(Away::Broker).await;
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_without_a_service_end_without_a_storm() {
    no_storm_without(Away::Service(ServiceName::Inventory)).await;
}
