//! The actors: holds, waiters and their deadlines, and what is left when something fails.

use crate::bench::{Bench, done, end, origin, settle_down};
use ordermill_actors::inventory::{CreateError, IDLE_AFTER, SetError, WAIT_MAX};
use ordermill_actors::runtime::request::ASK_TIMEOUT;
use ordermill_actors::runtime::ticket::TicketOutcome;
use ordermill_actors::runtime::tree::Population;
use ordermill_actors::testing::CommitFault;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Adjustment, AdjustmentOutcome, Quantity, Reservation};
use ordermill_domain::messages::{
    InventoryMessage, Kind, Payload, PaymentMessage, ShippingMessage,
};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

/// Has somebody else take units, behind the back of the actors.
fn take_elsewhere(bench: &Bench, product: &str, units: i64) {
    bench.tables.with_mut(|tables| {
        let row = tables.stock.get_mut(&ProductId::from(product)).unwrap();
        (row.reserved, row.version) = (row.reserved + units, row.version + 1);
    });
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_its_whole_way() {
    let bench = Bench::new().await;
    bench.stocked("apple", 5).await;
    bench.stocked("pear", 5).await;
    done(bench.reserve(1, &[("pear", 2), ("apple", 3)])).await;
    assert_eq!((bench.row("apple").reserved, bench.row("pear").reserved), (3, 2));
    done(bench.command(1, Payload::Inventory(InventoryMessage::Commit))).await;
    let row = bench.row("apple");
    assert_eq!((row.on_hand, row.reserved), (2, 0));
    done(bench.reserve(2, &[("apple", 2)])).await;
    done(bench.command(2, Payload::Inventory(InventoryMessage::Release))).await;
    assert_eq!(bench.row("apple").available(), 2);
    let kinds: Vec<_> = bench.heard().iter().map(|message| message.kind()).collect();
    use Kind::{InventoryCommitted, InventoryReleased, InventoryReserved};
    let expected = [InventoryReserved, InventoryCommitted, InventoryReserved, InventoryReleased];
    assert_eq!(kinds, expected);
}

#[tokio::test(start_paused = true)]
async fn requests_that_depend_on_a_hold_wait_in_the_order_of_arrival() {
    let bench = Bench::new().await;
    bench.stocked("apple", 12).await;
    bench.stocked("pear", 1).await;
    done(bench.reserve(1, &[("pear", 1)])).await;
    done(bench.command(1, Payload::Inventory(InventoryMessage::Release))).await;
    take_elsewhere(&bench, "pear", 1);
    bench.shut();
    let first = bench.reserve(2, &[("apple", 10), ("pear", 1)]);
    settle_down().await;
    let base = bench.submitted();
    // 12 − 10 held = 2: the large one waits for the hold, and the small one behind the large one.
    let large = bench.reserve(3, &[("apple", 9)]);
    let small = bench.reserve(4, &[("apple", 2)]);
    let last = bench.reserve(5, &[("apple", 2)]);
    settle_down().await;
    assert_eq!(bench.submitted(), base, "they wait");
    // The first is refused, for its pear. Its apples are the next ones'.
    bench.let_through(1).await;
    done(first).await;
    assert!(!bench.has_stock(2));
    assert_eq!(bench.submitted(), base + 2, "the last one waits on");
    bench.open();
    for pending in [large, small, last] {
        done(pending).await;
    }
    let told = bench.heard().into_iter().skip(2).map(|said| (said.order_id(), said.kind()));
    use Kind::{InventoryFailed, InventoryReserved};
    let expected = [(2, InventoryFailed), (3, InventoryReserved), (4, InventoryReserved)];
    let expected = expected.into_iter().chain([(5, InventoryFailed)]);
    let expected = expected.map(|(order, kind)| (origin(order).order_id, kind));
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let Some(Reservation::Refused(refusal)) = bench.outcome(5) else { panic!("not refused") };
    assert_eq!(refusal.shortages[0].available, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_request_past_its_deadline_is_decided_in_the_next_batch() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    bench.shut();
    let first = bench.reserve(1, &[("apple", 1)]);
    settle_down().await;
    let base = bench.submitted();
    let second = bench.reserve(2, &[("apple", 1)]);
    tokio::time::sleep(WAIT_MAX - Duration::from_millis(10)).await;
    assert_eq!(bench.submitted(), base);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(bench.submitted(), base + 1);
    bench.open();
    done(first).await;
    done(second).await;
    assert!(bench.has_stock(1));
    assert!(matches!(bench.outcome(2), Some(Reservation::Refused(_))), "on the locked row");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_lets_go_of_what_it_holds_elsewhere() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    bench.stocked("pear", 1).await;
    bench.shut();
    let first = bench.reserve(1, &[("pear", 1)]);
    settle_down().await;
    let base = bench.submitted();
    // Holds the apple and waits for the pear; the third waits for the apple.
    let second = bench.reserve(2, &[("apple", 1), ("pear", 1)]);
    tokio::time::sleep(WAIT_MAX / 2).await;
    let third = bench.reserve(3, &[("apple", 1)]);
    settle_down().await;
    assert_eq!(bench.submitted(), base);
    tokio::time::sleep(WAIT_MAX / 2).await;
    assert_eq!(bench.submitted(), base + 2, "the second unheld, and the third with its apple");
    bench.open();
    for pending in [first, second, third] {
        done(pending).await;
    }
    assert!(bench.has_stock(1) && !bench.has_stock(2) && bench.has_stock(3));
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_with_its_request() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    bench.shut();
    bench.tables.fail([CommitFault::UnknownLost]);
    let first = bench.reserve(1, &[("apple", 1)]);
    let second = bench.reserve(2, &[("apple", 1)]);
    settle_down().await;
    bench.open();
    assert!(matches!(end(first).await, TicketOutcome::Abandoned), "nobody knows: it comes again");
    done(second).await;
    assert!(bench.has_stock(2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_actor_forgets_its_waiters_and_starts_again_from_the_store() {
    let bench = Bench::new().await;
    bench.stocked("apple", 2).await;
    bench.shut();
    let first = bench.reserve(1, &[("apple", 2)]);
    settle_down().await;
    let second = bench.reserve(2, &[("apple", 1)]);
    settle_down().await;
    assert!(bench.skus.restart("sku/apple"));
    assert!(matches!(end(second).await, TicketOutcome::Abandoned));
    bench.open();
    done(first).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    done(bench.reserve(2, &[("apple", 1)])).await;
    assert!(matches!(bench.outcome(2), Some(Reservation::Refused(_))));
    assert_eq!(bench.skus.find("sku/apple").unwrap().restarts(), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_that_fail_stop_nobody() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    bench.away.store(true, Relaxed);
    done(bench.reserve(1, &[("apple", 1)])).await;
    done(bench.reserve(2, &[("apple", 1)])).await;
    assert!(bench.has_stock(1) && !bench.has_stock(2));
}

#[tokio::test(start_paused = true)]
async fn idle_skus_leave_memory() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    done(bench.reserve(1, &[("ghost", 1)])).await;
    settle_down().await;
    assert!(bench.skus.is_empty(), "what is made up is not remembered");
    done(bench.reserve(2, &[("apple", 1)])).await;
    assert_eq!(bench.skus.len(), 1);
    tokio::time::sleep(IDLE_AFTER * 2).await;
    assert!(bench.skus.is_empty());
    done(bench.command(2, Payload::Inventory(InventoryMessage::Release))).await;
    done(bench.reserve(3, &[("apple", 1)])).await;
    assert!(bench.has_stock(3));
}

#[tokio::test(start_paused = true)]
async fn setting_the_stock_without_a_database_times_out_and_is_applied_later() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    bench.shut();
    let begun = Instant::now();
    let seven = Quantity::new(7).unwrap();
    let late = bench.stock.set_available("apple".into(), seven, Expected::default()).await;
    assert!(matches!(late, Err(SetError::Unavailable(_))), "{late:?}");
    assert!(begun.elapsed() <= ASK_TIMEOUT, "{:?}", begun.elapsed());
    bench.open();
    settle_down().await;
    assert_eq!(bench.row("apple").available(), 7);
}

#[tokio::test(start_paused = true)]
async fn setting_the_stock_takes_effect_at_once() {
    let bench = Bench::new().await;
    let units = |units| Quantity::new(units).unwrap();
    let set = |n| bench.stock.set_available("apple".into(), units(n), Expected::default());
    assert_eq!(set(1).await, Err(SetError::NotFound));
    bench.stocked("apple", 1).await;
    let again = bench.stock.create("apple".into(), units(9)).await;
    assert_eq!(again, Err(CreateError::Exists));
    done(bench.reserve(1, &[("apple", 1)])).await;
    assert_eq!(set(5).await.map(|row| (row.on_hand, row.reserved)), Ok((6, 1)));
    assert_eq!(one_by_one(&bench, [2, 3]).await, 2, "both are held");
    assert_eq!(set(1).await.map(|row| (row.on_hand, row.reserved)), Ok((4, 3)));
    assert_eq!(one_by_one(&bench, [4, 5]).await, 1, "one is held, the other waits for it");
    assert!(bench.has_stock(4) && !bench.has_stock(5));
}

#[tokio::test(start_paused = true)]
async fn the_committed_stock_is_known_when_a_hold_ends() {
    let bench = Bench::new().await;
    bench.stocked("apple", 10).await;
    done(bench.reserve(1, &[("apple", 9)])).await;
    assert_eq!(one_by_one(&bench, [2, 3]).await, 1, "one is left: the other waits");
    done(bench.command(1, Payload::Inventory(InventoryMessage::Release))).await;
    assert_eq!(one_by_one(&bench, [4, 5]).await, 2, "nine are back: both are held");
}

/// Two orders of one apple each, while commits are held up: how many did not wait for the other.
async fn one_by_one(bench: &Bench, orders: [u128; 2]) -> u64 {
    settle_down().await;
    bench.shut();
    let base = bench.submitted();
    let pending = orders.map(|order| bench.reserve(order, &[("apple", 1)]));
    settle_down().await;
    let submitted = bench.submitted() - base;
    bench.open();
    for pending in pending {
        done(pending).await;
    }
    submitted
}

#[tokio::test(start_paused = true)]
async fn an_impossible_command_is_a_dead_letter() {
    let bench = Bench::new().await;
    let dead = [
        bench.reserve(1, &[]),
        bench.reserve(1, &[("apple", 0)]),
        bench.command(1, Payload::Inventory(InventoryMessage::Commit)),
        bench.command(1, Payload::Inventory(InventoryMessage::Released)),
        bench.command(1, Payload::Shipping(ShippingMessage::Dispatch)),
        bench.command(1, Payload::Payment(PaymentMessage::Reversed)),
    ];
    for pending in dead {
        assert!(matches!(end(pending).await, TicketOutcome::Dead(_)));
    }
    assert!(bench.heard().is_empty() && bench.outcome(1).is_none());
}

#[tokio::test(start_paused = true)]
async fn two_thousand_buyers_of_ten_units_are_ten_sales() {
    let bench = Bench::new().await;
    bench.stocked("apple", 10).await;
    let buyers: Vec<_> = (0..2_000).map(|order| bench.reserve(order, &[("apple", 1)])).collect();
    for buyer in buyers {
        done(buyer).await;
    }
    assert_eq!((0..2_000).filter(|order| bench.has_stock(*order)).count(), 10);
    assert_eq!(bench.row("apple").available(), 0);
    let writes = bench.row("apple").version - 1;
    assert!(writes <= 10, "{writes} writes of the stock row: refusals write none");
}

#[tokio::test(start_paused = true)]
async fn orders_of_several_products_never_wait_in_a_circle_and_leave_nothing_that_would_fit() {
    const SKUS: [&str; 5] = ["apple", "fig", "pear", "plum", "quince"];
    let bench = Bench::new().await;
    for sku in SKUS {
        bench.stocked(sku, 40).await;
    }
    let started = Instant::now();
    let orders: Vec<Vec<(&str, u32)>> = (0..200_usize)
        .map(|order| {
            // Three of the five, in any order, by a step that meets them all.
            let pick = |nth: usize| SKUS[(order * 7 + nth * (1 + order % 4)) % SKUS.len()];
            (0..3).map(|nth| (pick(nth), 1 + (order % 3) as u32)).collect()
        })
        .collect();
    let mut pending = Vec::new();
    for (order, lines) in orders.iter().enumerate() {
        pending.push(bench.reserve(order as u128, lines));
        if order % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for pending in pending {
        done(pending).await;
    }
    assert!(started.elapsed() < WAIT_MAX, "nobody ran into a deadline");
    for sku in SKUS {
        let row = bench.row(sku);
        assert!(0 <= row.reserved && row.reserved <= row.on_hand && row.on_hand == 40);
    }
    for (order, lines) in orders.iter().enumerate() {
        let fits = lines.iter().all(|(sku, units)| bench.row(sku).available() >= i64::from(*units));
        assert!(bench.has_stock(order as u128) || !fits, "order {order} would fit: {lines:?}");
    }
}

fn arrived(product: &str, delta: i64) -> Vec<Adjustment> {
    vec![Adjustment { product_id: product.into(), delta, reason: "delivery 4711".into() }]
}

#[tokio::test(start_paused = true)]
async fn new_stock_is_known_at_once() {
    let bench = Bench::new().await;
    bench.stocked("apple", 1).await;
    done(bench.reserve(1, &[("apple", 1)])).await;
    done(bench.reserve(2, &[("apple", 1)])).await;
    assert!(!bench.has_stock(2));
    bench.stock.adjust(None, arrived("apple", 1)).await.unwrap();
    done(bench.reserve(3, &[("apple", 1)])).await;
    assert!(bench.has_stock(3));
}

#[tokio::test(start_paused = true)]
async fn an_adjustment_without_a_key_is_applied_once_though_its_commit_had_an_unknown_outcome() {
    for fault in [CommitFault::UnknownWritten, CommitFault::UnknownLost] {
        let bench = Bench::new().await;
        bench.stocked("apple", 10).await;
        bench.tables.fail([fault]);
        let adjusted = bench.stock.adjust(None, arrived("apple", 5)).await.unwrap();
        let [AdjustmentOutcome::Adjusted(row)] = &adjusted.outcomes[..] else {
            panic!("{adjusted:?}")
        };
        assert_eq!((row.on_hand, bench.row("apple").on_hand), (15, 15));
        // Without a key, the same again is another delivery.
        bench.stock.adjust(None, arrived("apple", 5)).await.unwrap();
        assert_eq!(bench.row("apple").on_hand, 20);
    }
}
