//! Buyers who race: nothing is sold twice, and nobody is refused what is there.

use futures::future::join_all;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::order::RequestContext;
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS, Way};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::OrderDetails;
use ordermill_domain::order::{OrderStatus, Saga};
use ordermill_domain::testing::order_of;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

async fn open(way: Way, failure_rate: f64) -> Shop {
    let mut settings = ShopSettings::of(way);
    settings.gateway.failure_rate = failure_rate;
    Shop::open(ShopStores::default(), settings).await
}

async fn race(shop: &Shop, orders: Vec<OrderDetails>) -> Vec<Saga> {
    let placed = join_all(
        orders.into_iter().map(|order| shop.orders.place(order, RequestContext::default(), None)),
    );
    let ids: Vec<OrderId> =
        placed.await.into_iter().map(|placed| placed.unwrap().order_id).collect();
    join_all(ids.into_iter().map(|id| shop.rested(id))).await
}

fn confirmed(sagas: &[Saga]) -> usize {
    sagas.iter().filter(|saga| saga.status() == OrderStatus::Confirmed).count()
}

#[tokio::test(start_paused = true)]
async fn fifty_buyers_of_ten_units() {
    for way in WAYS {
        let shop = open(way, 0.0).await;
        shop.stock("MUG", 10).await;
        let sagas = race(&shop, vec![order_of(&[("MUG", 1)], "credit_card"); 50]).await;
        assert_eq!(confirmed(&sagas), 10);
        let stock_row = shop.stock_row("MUG").await;
        assert_eq!((stock_row.on_hand, stock_row.reserved), (10, 10));
        for saga in sagas.iter().filter(|saga| saga.status() == OrderStatus::Cancelled) {
            let failure = saga.facts.failure().unwrap();
            assert_eq!(failure.shortages[0].available, Some(0));
            assert_eq!(shop.money_held(saga.order_id()).await, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_thousand_buyers_of_the_last_unit() {
    for way in WAYS {
        let shop = open(way, 0.0).await;
        shop.stock("MUG", 1).await;
        let sagas = race(&shop, vec![order_of(&[("MUG", 1)], "credit_card"); 2_000]).await;
        assert_eq!(confirmed(&sagas), 1);
        assert_eq!(shop.stock_row("MUG").await.reserved, 1);
    }
}

/// Orders of three of six products each, always others, as a fixed shuffle gives them.
fn shuffled(count: usize) -> Vec<OrderDetails> {
    const PRODUCTS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    (0..count)
        .map(|_| {
            let mut products = PRODUCTS.to_vec();
            let lines: Vec<(&str, u32)> = (0..3)
                .map(|_| {
                    let index = next(products.len());
                    (products.remove(index), u32::try_from(next(3)).unwrap() + 1)
                })
                .collect();
            order_of(&lines, "credit_card")
        })
        .collect()
}

const INITIAL: i64 = 60;

/// Looks at the stock all the time: what is reserved is never more than what is there.
fn watch(shop: &Shop) -> (Arc<AtomicBool>, tokio::task::JoinHandle<u64>) {
    let (done, stores) = (Arc::new(AtomicBool::new(false)), shop.stores.inventory.clone());
    let stop = done.clone();
    let watching = tokio::spawn(async move {
        let mut looks = 0;
        while !stop.load(Relaxed) {
            for row in stores.list(None, 100).await.unwrap() {
                assert!(0 <= row.reserved && row.reserved <= row.on_hand, "{row:?}");
                assert_eq!(row.on_hand, INITIAL, "nothing was dispatched");
            }
            looks += 1;
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        looks
    });
    (done, watching)
}

#[tokio::test(start_paused = true)]
async fn two_hundred_orders_of_three_shuffled_products_and_too_little_stock() {
    for way in WAYS {
        let shop = open(way, 0.0).await;
        for product in ["A", "B", "C", "D", "E", "F"] {
            shop.stock(product, INITIAL).await;
        }
        let (done, watching) = watch(&shop);
        let sagas = race(&shop, shuffled(200)).await;
        done.store(true, Relaxed);
        assert!(watching.await.unwrap() > 0);
        let left = assert_reconciled(&shop, &sagas).await;
        for saga in sagas.iter().filter(|saga| saga.status() == OrderStatus::Cancelled) {
            let fits = saga
                .details
                .lines
                .iter()
                .all(|line| i64::from(line.quantity) <= left[line.product_id.as_str()]);
            assert!(!fits, "refused, though what is left covers it: {saga:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_while_payments_fail_and_customers_cancel() {
    for way in WAYS {
        let shop = open(way, 0.2).await;
        for product in ["A", "B", "C", "D", "E", "F"] {
            shop.stock(product, INITIAL).await;
        }
        let (done, watching) = watch(&shop);
        let mut ids = Vec::new();
        for (index, order) in shuffled(200).into_iter().enumerate() {
            let order =
                shop.orders.place(order, RequestContext::default(), None).await.unwrap().order_id;
            ids.push(order);
            if index % 5 == 0 {
                let orders = shop.orders.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros(index as u64 * 10)).await;
                    orders.cancel(order).await.unwrap();
                });
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sagas = join_all(ids.into_iter().map(|id| shop.rested(id))).await;
        done.store(true, Relaxed);
        watching.await.unwrap();
        assert_reconciled(&shop, &sagas).await;
        assert!(confirmed(&sagas) > 20, "{} confirmed", confirmed(&sagas));
    }
}

/// Checks that reserved units are those of confirmed orders, and that every refusal recorded its shortage. Returns
/// the remaining units of each product.
async fn assert_reconciled(shop: &Shop, sagas: &[Saga]) -> BTreeMap<String, i64> {
    let mut held: BTreeMap<String, i64> = BTreeMap::new();
    for saga in sagas {
        let order = saga.order_id();
        match saga.status() {
            OrderStatus::Confirmed => {
                for line in &saga.details.lines {
                    *held.entry(line.product_id.to_string()).or_default() +=
                        i64::from(line.quantity);
                }
                assert_eq!(shop.money_held(order).await, saga.details.total_minor);
            }
            OrderStatus::Cancelled => {
                assert_eq!(shop.money_held(order).await, 0);
                let failure = saga.facts.failure().unwrap();
                if failure.step == "inventory" {
                    assert!(!failure.shortages.is_empty());
                    let short = |s: &ordermill_domain::messages::Shortage| {
                        s.available.is_some_and(|available| available < i64::from(s.requested))
                    };
                    assert!(failure.shortages.iter().all(short), "{failure:?}");
                }
            }
            other => panic!("{other:?} is no rest here"),
        }
    }
    let mut left = BTreeMap::new();
    for row in shop.stores.inventory.list(None, 100).await.unwrap() {
        let product = row.product_id.to_string();
        assert_eq!(row.reserved, held.get(&product).copied().unwrap_or(0), "{product}");
        left.insert(product, row.on_hand - row.reserved);
    }
    left
}
