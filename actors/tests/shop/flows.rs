//! Flows side by side: the same outcome whichever way an order goes, and each order to its end in its own.

use ordermill_actors::audit::AuditReads;
use ordermill_actors::order::RequestContext;
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, Flow, Kind, Message, OrderDetails, Plan};
use ordermill_domain::order::OrderStatus;
use ordermill_domain::order::decide_payment_news::is_news;
use ordermill_domain::testing::order_of;
use std::collections::BTreeSet;
use std::time::Duration;

/// A request for an order that rests.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Cancel,
    Dispatch,
    Deliver,
}

/// Orders that do not compete: each product is one order's alone.
fn script() -> Vec<(OrderDetails, Then)> {
    let nowhere =
        Address { postal_code: Some("TEST-UNDELIVERABLE".to_owned()), ..Address::default() };
    let undeliverable = |product| OrderDetails {
        address: Some(nowhere.clone()),
        ..order_of(&[(product, 2)], "credit_card")
    };
    vec![
        (order_of(&[("P0", 2)], "credit_card"), Then::Nothing),
        (order_of(&[("P1", 2)], "credit_card"), Then::Cancel),
        (order_of(&[("P2", 2), ("P3", 10)], "credit_card"), Then::Dispatch),
        (order_of(&[("P4", 2)], "credit_card"), Then::Deliver),
        (order_of(&[("P5", 11)], "credit_card"), Then::Nothing),
        (order_of(&[("P6", 2), ("NOPE", 1)], "credit_card"), Then::Nothing),
        (order_of(&[("P7", 2)], "test_declined"), Then::Nothing),
        (undeliverable("P8"), Then::Nothing),
        (order_of(&[("P9", 2)], "test_timeout_charged"), Then::Nothing),
        (order_of(&[("P10", 2)], "test_timeout_uncharged"), Then::Cancel),
        (order_of(&[("P11", 2)], "test_slow"), Then::Deliver),
        (order_of(&[("P12", 2)], "test_refund_fails"), Then::Cancel),
        // Several steps would fail.
        (order_of(&[("P13", 11)], "test_declined"), Then::Nothing),
        (
            OrderDetails { payment_method: "test_declined".to_owned(), ..undeliverable("P14") },
            Then::Nothing,
        ),
    ]
}

const PRODUCTS: usize = 15;

async fn place(shop: &Shop, details: OrderDetails) -> OrderId {
    shop.orders.place(details, RequestContext::default(), None).await.unwrap().order_id
}

async fn then(shop: &Shop, order: OrderId, then: Then) {
    shop.rested(order).await;
    match then {
        Then::Nothing => {}
        Then::Cancel => drop(shop.orders.cancel(order).await.unwrap()),
        Then::Dispatch => drop(shop.orders.dispatch(order).await.unwrap()),
        Then::Deliver => {
            shop.orders.dispatch(order).await.unwrap();
            shop.rested(order).await;
            shop.orders.deliver(order).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_orders_end_the_same_in_every_flow_and_plan() {
    let mut outcomes = Vec::new();
    for way in WAYS {
        let shop = Shop::open(ShopStores::default(), ShopSettings::of(way)).await;
        for product in 0..PRODUCTS {
            shop.stock(&format!("P{product}"), 10).await;
        }
        let mut orders = Vec::new();
        for (details, asked) in script() {
            orders.push((place(&shop, details).await, asked));
        }
        for (order, asked) in &orders {
            then(&shop, *order, *asked).await;
        }
        let mut order_ends = Vec::new();
        for (order, _) in orders {
            let saga = shop.rested(order).await;
            assert_eq!(saga.origin.flow, way.0);
            let plan = if way.0 == Flow::Choreographed { Plan::PaymentFirst } else { way.1 };
            assert_eq!(saga.origin.plan, plan);
            order_ends.push((saga.status(), saga.saga_status(), shop.money_held(order).await));
        }
        let mut stock_rows = Vec::new();
        for product in 0..PRODUCTS {
            let stock_row = shop.stock_row(&format!("P{product}")).await;
            stock_rows.push((stock_row.on_hand, stock_row.reserved));
        }
        shop.assert_no_dead_letters();
        outcomes.push((order_ends, stock_rows));
    }
    let first = &outcomes[0];
    assert_eq!(first.0.iter().filter(|order_end| order_end.0 == OrderStatus::Cancelled).count(), 9);
    assert!(outcomes.iter().all(|outcome| outcome == first), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_with_the_other_flow_old_orders_finish_in_their_own() {
    let flows = [(WAYS[0], WAYS[2]), (WAYS[2], WAYS[0]), (WAYS[2], WAYS[1])];
    for (before, after) in flows {
        for kill_after_us in (0..3_000).step_by(300) {
            let shop = Shop::open(ShopStores::default(), ShopSettings::of(before)).await;
            shop.stock("MUG", 20).await;
            let mut old = Vec::new();
            for index in 0..20 {
                let method = ["credit_card", "test_declined", "test_timeout_charged"][index % 3];
                let order = place(&shop, order_of(&[("MUG", 1)], method)).await;
                if index % 5 == 0 {
                    shop.orders.cancel(order).await.unwrap();
                }
                old.push(order);
            }
            tokio::time::sleep(Duration::from_micros(kill_after_us)).await;
            let stores = shop.kill();
            tokio::time::sleep(Duration::from_millis(1)).await;
            let shop = Shop::open(stores, ShopSettings::of(after)).await;
            let new = place(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
            let mut held = 0;
            for order in old.iter().copied().chain([new]) {
                let saga = shop.rested(order).await;
                let flow = if order == new { after.0 } else { before.0 };
                assert_eq!(saga.origin.flow, flow);
                let (units, money) = match saga.status() {
                    OrderStatus::Confirmed => (1, 1_000),
                    OrderStatus::Cancelled => (0, 0),
                    other => panic!("{other:?} is no rest"),
                };
                held += units;
                assert_eq!(shop.money_held(order).await, money);
            }
            assert!(held > 5, "{held}");
            let stock_row = shop.stock_row("MUG").await;
            assert_eq!((stock_row.on_hand, stock_row.reserved), (20, held));
            // Orders that were confirmed before go on in their own flow, too.
            for order in old {
                if shop.rested(order).await.status() == OrderStatus::Confirmed {
                    shop.orders.dispatch(order).await.unwrap();
                    assert_eq!(shop.rested(order).await.status(), OrderStatus::Shipped);
                }
            }
            assert_eq!(shop.stock_row("MUG").await.reserved, 1, "only the new one's");
            shop.assert_no_dead_letters();
            shop.kill();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn choreographed_only_the_two_events_whose_listeners_need_it_carry_the_order() {
    let shop = Shop::open(ShopStores::default(), ShopSettings::of(WAYS[2])).await;
    for product in 0..PRODUCTS {
        shop.stock(&format!("P{product}"), 10).await;
    }
    let mut kinds = BTreeSet::new();
    for (details, asked) in script() {
        let order = place(&shop, details).await;
        then(&shop, order, asked).await;
        shop.rested(order).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        for entry in shop.stores.audit.events(order, None, 100).await.unwrap() {
            let message = Message::from_json(&entry.message).unwrap();
            let carries = matches!(message.kind(), Kind::PaymentApproved | Kind::InventoryReserved);
            assert_eq!(message.origin.order.is_some(), carries, "{message:?}");
            kinds.insert(message.kind());
        }
    }
    // Every event there is, and no command. Of orders that are paid at once there is no news of the payment.
    let is_told = |kind: &Kind| !is_news(*kind) && *kind != Kind::OrderPaymentRequired;
    let events = Kind::ALL.iter().copied().filter(|kind| kind.is_event());
    let events: BTreeSet<Kind> = events.filter(is_told).collect();
    assert_eq!(kinds, events);
}
