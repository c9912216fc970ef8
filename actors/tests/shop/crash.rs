//! Killed in the middle, started again on the same databases: every accepted order comes to rest.

use ordermill_actors::order::RequestContext;
use ordermill_actors::runtime::tree::TreeQuery;
use ordermill_actors::testing::CommitFault;
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS, Way};
use ordermill_domain::order::OrderStatus;
use ordermill_domain::testing::order_of;
use std::time::Duration;

fn every_way(moments: impl Iterator<Item = u64> + Clone) -> impl Iterator<Item = (Way, u64)> {
    WAYS.into_iter().flat_map(move |way| moments.clone().map(move |moment| (way, moment)))
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_nothing_accepted_is_lost() {
    for (way, kill_after_us) in every_way((0..4_000).step_by(100)) {
        let mut stores = ShopStores::default();
        let shop = Shop::open(stores.clone(), ShopSettings::of(way)).await;
        shop.stock("MUG", 15).await;
        let mut accepted = Vec::new();
        for index in 0..20 {
            let method = ["credit_card", "test_declined", "test_timeout_charged"][index % 3];
            let order = order_of(&[("MUG", 1)], method);
            accepted.push(
                shop.orders.place(order, RequestContext::default(), None).await.unwrap().order_id,
            );
        }
        tokio::time::sleep(Duration::from_micros(kill_after_us)).await;
        stores = shop.kill();
        // Work that the dead process had under way must not go on.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let shop = Shop::open(stores, ShopSettings::of(way)).await;
        let mut held = 0;
        for order in accepted {
            let saga = shop.rested(order).await;
            let (units, money) = match saga.status() {
                OrderStatus::Confirmed => (1, 1_000),
                OrderStatus::Cancelled => (0, 0),
                other => panic!("{other:?} is no rest"),
            };
            held += units;
            assert_eq!(shop.money_held(order).await, money);
        }
        let stock_row = shop.stock_row("MUG").await;
        assert_eq!((stock_row.on_hand, stock_row.reserved), (15, held));
        shop.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn commits_that_fail_or_end_unknown_lose_and_double_nothing() {
    for way in WAYS {
        for round in 0..40_usize {
            let shop = Shop::open(ShopStores::default(), ShopSettings::of(way)).await;
            shop.stock("MUG", 15).await;
            let faults = |seed: usize| {
                let kinds = [
                    CommitFault::Unavailable,
                    CommitFault::UnknownLost,
                    CommitFault::UnknownWritten,
                ];
                (0..4).map(move |index| kinds[(round + seed + index) % 3])
            };
            shop.stores.order.fail(faults(0));
            shop.stores.inventory.fail(faults(1));
            shop.stores.payment.fail(faults(2));
            shop.stores.shipping.fail(faults(3));
            let mut accepted = Vec::new();
            for _ in 0..20 {
                let order = order_of(&[("MUG", 1)], "credit_card");
                accepted.push(
                    shop.orders
                        .place(order, RequestContext::default(), None)
                        .await
                        .unwrap()
                        .order_id,
                );
            }
            let mut confirmed = 0;
            for order in accepted {
                let saga = shop.rested(order).await;
                confirmed += usize::from(saga.status() == OrderStatus::Confirmed);
            }
            assert_eq!(confirmed, 15, "round {round}");
            assert_eq!(shop.stock_row("MUG").await.reserved, 15);
            shop.kill();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_saga_leaves_memory_at_rest() {
    let shop = Shop::open(ShopStores::default(), ShopSettings::default()).await;
    shop.stock("MUG", 1_000).await;
    for _ in 0..50 {
        let order = order_of(&[("MUG", 1)], "credit_card");
        let order =
            shop.orders.place(order, RequestContext::default(), None).await.unwrap().order_id;
        shop.rested(order).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let view = shop.process.tree.view(&TreeQuery { limit: 10, ..TreeQuery::default() }).unwrap();
    let sagas = view[0]
        .children
        .iter()
        .find(|service| service.name == "order")
        .and_then(|order| order.children.iter().find(|part| part.name == "sagas"))
        .unwrap();
    assert_eq!(sagas.children_total, 0);
}
