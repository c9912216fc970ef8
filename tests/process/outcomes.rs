//! What can become of an order when it competes with nobody: in each flow, on each infrastructure, the
//! same orders end in the same status, leave the same stock and cost the same money.

use super::reconciliation;
use super::setup::Setup;
use super::shop::{Order, ProductStock, Shop, failure, is_fulfilled, order};
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest that one order may take: the gateway is asked again and again about some of them.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many orders of each scenario there are.
const OF_EACH: usize = 3;
/// Units of each product that is not meant to run out.
const PLENTY: i64 = 1_000;

/// How an order ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Confirmed,
    Shipped,
    Completed,
    /// For one of these causes: where several steps would fail, the flow says which comes first.
    Cancelled(&'static [&'static str]),
}

use Ending::{Cancelled, Completed, Confirmed, Shipped};

/// What is ordered, what is asked of the order afterwards, and how it ends.
struct Scenario {
    name: &'static str,
    lines: &'static [(&'static str, u64)],
    method: &'static str,
    undeliverable: bool,
    /// Asked one after the other, each once the order rests.
    asked: &'static [&'static str],
    ending: Ending,
}

/// An order of one unit, paid by card, that nothing more is asked of.
const PLAIN: Scenario = Scenario {
    name: "one product",
    lines: &[("A", 1)],
    method: "credit_card",
    undeliverable: false,
    asked: &[],
    ending: Confirmed,
};

const CUSTOMER: Ending = Cancelled(&["customer: cancelled_by_customer"]);
const NO_STOCK: Ending = Cancelled(&["inventory: insufficient_stock"]);

/// Every scenario that does not hang on what others do.
const SCENARIOS: [Scenario; 19] = [
    PLAIN,
    Scenario { name: "three products", lines: &[("C", 1), ("A", 2), ("B", 3)], ..PLAIN },
    Scenario { name: "sold out", lines: &[("NONE", 1)], ending: NO_STOCK, ..PLAIN },
    Scenario { name: "more than there is", lines: &[("FEW", 11)], ending: NO_STOCK, ..PLAIN },
    Scenario {
        name: "one of two short",
        lines: &[("A", 1), ("NONE", 1)],
        ending: NO_STOCK,
        ..PLAIN
    },
    Scenario {
        name: "unknown product",
        lines: &[("NEVER-HEARD-OF", 1)],
        ending: Cancelled(&["inventory: unknown_product"]),
        ..PLAIN
    },
    Scenario {
        name: "declined",
        method: "test_declined",
        ending: Cancelled(&["payment: declined"]),
        ..PLAIN
    },
    Scenario {
        name: "declined, and sold out",
        lines: &[("NONE", 1)],
        method: "test_declined",
        ending: Cancelled(&["payment: declined", "inventory: insufficient_stock"]),
        ..PLAIN
    },
    Scenario { name: "silent gateway, charged", method: "test_timeout_charged", ..PLAIN },
    Scenario { name: "silent gateway, not charged", method: "test_timeout_uncharged", ..PLAIN },
    Scenario {
        name: "silent gateway, charged, and sold out",
        lines: &[("NONE", 1)],
        method: "test_timeout_charged",
        ending: NO_STOCK,
        ..PLAIN
    },
    Scenario { name: "slow gateway", method: "test_slow", ..PLAIN },
    Scenario {
        name: "undeliverable",
        lines: &[("A", 1), ("B", 1)],
        undeliverable: true,
        ending: Cancelled(&["shipping: undeliverable"]),
        ..PLAIN
    },
    Scenario { name: "cancelled immediately", asked: &["cancel now"], ending: CUSTOMER, ..PLAIN },
    Scenario {
        name: "cancelled after confirmation",
        asked: &["cancel"],
        ending: CUSTOMER,
        ..PLAIN
    },
    Scenario {
        name: "cancelled, and the refund fails",
        method: "test_refund_fails",
        asked: &["cancel"],
        ending: CUSTOMER,
        ..PLAIN
    },
    Scenario {
        name: "dispatched",
        lines: &[("B", 2)],
        asked: &["dispatch"],
        ending: Shipped,
        ..PLAIN
    },
    Scenario {
        name: "dispatched, too late to cancel",
        asked: &["dispatch", "cancel refused"],
        ending: Shipped,
        ..PLAIN
    },
    Scenario {
        name: "delivered",
        asked: &["delivery refused", "dispatch", "delivery"],
        ending: Completed,
        ..PLAIN
    },
];

/// What there is to buy.
const STOCK: [(&str, i64); 5] =
    [("A", PLENTY), ("B", PLENTY), ("C", PLENTY), ("FEW", 10), ("NONE", 0)];

impl Scenario {
    fn order(&self, customer: &str) -> Value {
        let mut body = order(customer, self.lines, self.method);
        if self.undeliverable {
            body["address"] = json!({"postal_code": "TEST-UNDELIVERABLE"});
        }
        body
    }

    /// Places an order and does with it what its scenario asks for, until it has ended.
    async fn play(&self, shop: &Shop, number: usize) {
        let id = shop.place(&self.order(&format!("{} {number}", self.name))).await;
        for asked in self.asked {
            let (request, answer) = match asked.split_once(' ') {
                Some((request, "refused")) => (request, StatusCode::CONFLICT),
                Some((request, _)) => (request, StatusCode::ACCEPTED),
                None => (*asked, StatusCode::ACCEPTED),
            };
            if !asked.ends_with("now") {
                shop.until(&id, PATIENCE, Order::is_at_rest).await;
            }
            let (status, body) = shop.post(&format!("/orders/{id}/{request}")).await;
            assert_eq!(status, answer, "{}: {asked}: {body}", self.name);
        }
        shop.until(&id, PATIENCE, |order| order.is_at_rest() && self.has_ended(order)).await;
    }

    fn has_ended(&self, order: &Order) -> bool {
        match self.ending {
            Confirmed => order.status == "CONFIRMED",
            Shipped => order.status == "SHIPPED",
            Completed => order.status == "COMPLETED",
            Cancelled(_) => order.status == "CANCELLED",
        }
    }

    fn ends_well(&self, order: &Order) {
        assert!(self.has_ended(order), "{}: {order:#?}", self.name);
        let causes = match self.ending {
            Cancelled(causes) => causes,
            Confirmed | Shipped | Completed => &[""],
        };
        assert!(causes.contains(&failure(order).as_str()), "{}: {order:#?}", self.name);
        let saga = if is_fulfilled(order) { "COMPLETED" } else { "COMPENSATED" };
        assert_eq!(order.saga.status, saga, "{}: {order:#?}", self.name);
    }
}

/// What is left of a product when all of them have ended: the same whatever the flow.
fn left(product: &str, initial: i64) -> ProductStock {
    let units = |scenario: &Scenario| -> i64 {
        let lines = scenario.lines.iter().filter(|(id, _)| *id == product);
        lines.map(|(_, quantity)| *quantity as i64).sum::<i64>() * OF_EACH as i64
    };
    let of = |is: fn(&Ending) -> bool| -> i64 {
        SCENARIOS.iter().filter(|scenario| is(&scenario.ending)).map(units).sum()
    };
    let reserved = of(|ending| matches!(ending, Confirmed));
    let shipped = of(|ending| matches!(ending, Shipped | Completed));
    let on_hand = initial - shipped;
    ProductStock { available_qty: on_hand - reserved, reserved_qty: reserved, on_hand }
}

/// Plays all of them at once, and reconciles. `servers` are of one system.
pub async fn all_are_met(setup: &Setup, servers: &[Shop]) -> Vec<Order> {
    let shop = &servers[0];
    for (product, quantity) in STOCK {
        shop.stock(product, quantity).await;
    }
    let plays =
        (0..OF_EACH).flat_map(|number| SCENARIOS.iter().map(move |scenario| (scenario, number)));
    let plays = plays.enumerate().map(|(index, (scenario, number))| {
        let server = &servers[index % servers.len()];
        scenario.play(server, number)
    });
    join_all(plays).await;

    let orders = shop.all_at_rest(PATIENCE).await;
    assert_eq!(orders.len(), SCENARIOS.len() * OF_EACH);
    for scenario in &SCENARIOS {
        let name = |number| format!("{} {number}", scenario.name);
        for customer in (0..OF_EACH).map(name) {
            let mut his = orders.iter().filter(|order| order.customer_id == customer);
            scenario.ends_well(his.next().unwrap());
            assert!(his.next().is_none(), "{customer} has more than one order");
        }
    }
    let stock_rows = shop.stock_rows().await;
    for (product, initial) in STOCK {
        assert_eq!(stock_rows[product], left(product, initial), "{product}");
    }
    let initial = STOCK.map(|(product, units)| (product.to_owned(), units));
    reconciliation::balance(shop, &BTreeMap::from(initial), &orders).await;
    setup.databases().all_messages_were_consumed().await;
    orders
}

/// The gateway's silence is given up on soon, so that it does not take long.
fn impatient(setup: Setup, flow: &str, plan: &str) -> Setup {
    setup.with("PAYMENT_TIMEOUT", "300ms").with("ORDERMILL_FLOW", flow).with("ORDERMILL_PLAN", plan)
}

async fn played(setup: Setup, flow: &str, plan: &str) {
    let setup = impatient(setup, flow, plan);
    let server = setup.start();
    let orders = all_are_met(&setup, &[server.shop()]).await;
    assert!(orders.iter().all(|order| order.flow == flow));
    server.terminate().await;
}

async fn orchestrated_reserve_first(setup: Setup) {
    played(setup, "orchestrated", "reserve-first").await;
}

async fn orchestrated_payment_first(setup: Setup) {
    played(setup, "orchestrated", "payment-first").await;
}

async fn choreographed(setup: Setup) {
    played(setup, "choreographed", "payment-first").await;
}

everywhere! {
    orchestrated_reserve_first
    orchestrated_payment_first
    choreographed
}
