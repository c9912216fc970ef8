//! Every outcome of an order, and the reconciliation afterwards.

use ordermill_actors::order::{AskError, RequestContext};
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores, WAYS, Way};
use ordermill_domain::backoff::Backoff;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, Flow, OrderDetails, Plan};
use ordermill_domain::order::{OrderStatus, Saga, SagaStatus};
use ordermill_domain::testing::order_of;
use std::time::Duration;

async fn shop(way: Way) -> Shop {
    let shop = Shop::open(ShopStores::default(), ShopSettings::of(way)).await;
    shop.stock("MUG", 100).await;
    shop
}

async fn place(shop: &Shop, details: OrderDetails) -> OrderId {
    shop.orders.place(details, RequestContext::default(), None).await.unwrap().order_id
}

async fn ends(shop: &Shop, details: OrderDetails) -> Saga {
    let order = place(shop, details).await;
    shop.rested(order).await
}

/// A cancelled order holds no stock and no money; its failure says why.
async fn assert_undone(shop: &Shop, saga: &Saga, step: &str, reason: &str) {
    assert_eq!(saga.status(), OrderStatus::Cancelled);
    assert_eq!(saga.saga_status(), SagaStatus::Compensated);
    let failure = saga.facts.failure().unwrap();
    assert_eq!((failure.step.as_str(), failure.reason.as_str()), (step, reason));
    assert_eq!(shop.money_held(saga.order_id()).await, 0);
    let stock_row = shop.stock_row("MUG").await;
    assert_eq!((stock_row.on_hand, stock_row.reserved), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_being_cancelled_is_not_dispatched_and_says_so() {
    for way in WAYS {
        let shop = shop(way).await;
        let saga = ends(&shop, order_of(&[("MUG", 2)], "test_refund_fails")).await;
        let order = saga.order_id();
        assert_eq!(shop.orders.cancel(order).await.unwrap().status, OrderStatus::Confirmed);
        let refused = shop.orders.dispatch(order).await.unwrap_err().to_string();
        assert!(refused.contains("is being cancelled"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_is_confirmed_dispatched_delivered() {
    for way in WAYS {
        let shop = shop(way).await;
        let saga = ends(&shop, order_of(&[("MUG", 2)], "credit_card")).await;
        let order = saga.order_id();
        assert_eq!(saga.status(), OrderStatus::Confirmed);
        assert_eq!(shop.money_held(order).await, 2_000);
        assert_eq!(
            (shop.stock_row("MUG").await.on_hand, shop.stock_row("MUG").await.reserved),
            (100, 2)
        );
        assert!(matches!(shop.orders.deliver(order).await, Err(AskError::Conflict { .. })));
        shop.orders.dispatch(order).await.unwrap();
        assert!(matches!(shop.orders.cancel(order).await, Err(AskError::Conflict { .. })));
        assert_eq!(shop.rested(order).await.status(), OrderStatus::Shipped);
        assert_eq!(
            (shop.stock_row("MUG").await.on_hand, shop.stock_row("MUG").await.reserved),
            (98, 0)
        );
        shop.orders.deliver(order).await.unwrap();
        assert_eq!(shop.rested(order).await.status(), OrderStatus::Completed);
        assert_eq!(shop.money_held(order).await, 2_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_order_is_compensated() {
    for way in WAYS {
        let shop = shop(way).await;
        let saga = ends(&shop, order_of(&[("MUG", 101)], "credit_card")).await;
        assert_undone(&shop, &saga, "inventory", "insufficient_stock").await;
        let shortage = &saga.facts.failure().unwrap().shortages[0];
        assert_eq!((shortage.requested, shortage.available), (101, Some(100)));

        let saga = ends(&shop, order_of(&[("MUG", 1), ("NOPE", 1)], "credit_card")).await;
        assert_undone(&shop, &saga, "inventory", "unknown_product").await;

        let saga = ends(&shop, order_of(&[("MUG", 1)], "test_declined")).await;
        assert_eq!(saga.facts.failure().unwrap().step, "payment");
        assert_eq!(shop.stock_row("MUG").await.reserved, 0);

        let postal_code = Some("TEST-UNDELIVERABLE".to_owned());
        let address = Some(Address { postal_code, ..Address::default() });
        let details = OrderDetails { address, ..order_of(&[("MUG", 1)], "credit_card") };
        let saga = ends(&shop, details).await;
        assert_undone(&shop, &saga, "shipping", "undeliverable").await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_at_the_gateway_is_never_guessed() {
    for way in WAYS {
        for method in ["test_timeout_charged", "test_timeout_uncharged", "test_slow"] {
            let shop = shop(way).await;
            let saga = ends(&shop, order_of(&[("MUG", 1)], method)).await;
            assert_eq!(saga.status(), OrderStatus::Confirmed, "{method}");
            assert_eq!(shop.money_held(saga.order_id()).await, 1_000, "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_at_any_moment_nothing_is_left_behind() {
    for way in WAYS {
        for method in ["credit_card", "test_timeout_charged", "test_timeout_uncharged", "test_slow"]
        {
            for wait_us in [0, 50, 200, 500, 1_000, 2_000, 5_000, 20_000, 3_000_000] {
                let shop = shop(way).await;
                let order = place(&shop, order_of(&[("MUG", 3)], method)).await;
                tokio::time::sleep(Duration::from_micros(wait_us)).await;
                shop.orders.cancel(order).await.unwrap();
                let saga = shop.rested(order).await;
                assert_undone(&shop, &saga, "customer", "cancelled_by_customer").await;
                shop.kill();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_not_confirmed_in_time_is_cancelled_and_its_stock_is_free() {
    for way in WAYS {
        let mut settings = ShopSettings::of(way);
        settings.order.policy.order_timeout = Duration::from_secs(60);
        // A gateway that does not answer before the deadline.
        settings.gateway.latency = Duration::from_secs(62);
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 1).await;
        let order = place(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        tokio::time::sleep(Duration::from_secs(59)).await;
        let reserves_first = way == (Flow::Orchestrated, Plan::ReserveFirst);
        assert_eq!(shop.stock_row("MUG").await.reserved, i64::from(reserves_first));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let saga = shop.stores.order.clone();
        let saga = ordermill_actors::order::OrderReads::order(&saga, order).await.unwrap().unwrap();
        assert_eq!(saga.facts.failure().unwrap().reason, "deadline_exceeded");
        assert_eq!(shop.stock_row("MUG").await.reserved, 0, "the stock is free at once");
        assert_eq!(shop.rested(order).await.status(), OrderStatus::Cancelled);
        assert_eq!(shop.money_held(order).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refund_that_keeps_failing_is_an_alarm_and_ends_when_it_succeeds() {
    for way in WAYS {
        let mut settings = ShopSettings::of(way);
        settings.order.policy.compensation_timeout = Duration::from_secs(1);
        settings.payment.backoff = Backoff::new(Duration::from_secs(20), Duration::from_secs(30));
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 100).await;
        let saga = ends(&shop, order_of(&[("MUG", 1)], "test_refund_fails")).await;
        assert_eq!(saga.status(), OrderStatus::Confirmed);
        let order = saga.order_id();
        shop.orders.cancel(order).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let saga = |shop: &Shop| {
            let orders = shop.stores.order.clone();
            async move {
                ordermill_actors::order::OrderReads::order(&orders, order).await.unwrap().unwrap()
            }
        };
        assert_eq!(saga(&shop).await.saga_status(), SagaStatus::Failed);
        let before: Timestamp = saga(&shop).await.updated_at;
        shop.orders.retry(order).await.unwrap();
        assert!(saga(&shop).await.updated_at >= before);
        let saga = shop.rested(order).await;
        assert_undone(&shop, &saga, "customer", "cancelled_by_customer").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_request_makes_one_order() {
    let shop = shop(WAYS[0]).await;
    let key = |body: &[u8]| Some(("key-1".to_owned(), body.to_vec()));
    let details = || order_of(&[("MUG", 1)], "credit_card");
    let orders =
        (0..100).map(|_| shop.orders.place(details(), RequestContext::default(), key(b"a")));
    let placed: Vec<_> = futures::future::join_all(orders).await;
    let first = placed[0].as_ref().unwrap().order_id;
    assert!(placed.iter().all(|placed| placed.as_ref().unwrap().order_id == first));
    let fresh = placed.iter().filter(|placed| !placed.as_ref().unwrap().replayed).count();
    assert_eq!(fresh, 1);
    let other = shop.orders.place(details(), RequestContext::default(), key(b"b")).await;
    assert_eq!(other, Err(AskError::KeyReused));
    shop.rested(first).await;
    assert_eq!(shop.stock_row("MUG").await.reserved, 1);
}

#[tokio::test(start_paused = true)]
async fn confirmed_orders_leave_by_themselves_when_told_to() {
    for way in WAYS {
        let mut settings = ShopSettings::of(way);
        settings.order.policy.dispatch_after = Some(Duration::from_secs(2));
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 5).await;
        let saga = ends(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        assert_eq!(saga.status(), OrderStatus::Shipped);
        assert_eq!(shop.stock_row("MUG").await.on_hand, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_is_audited_once_and_the_customer_is_told_once() {
    for way in WAYS {
        use ordermill_actors::audit::AuditReads;
        use ordermill_actors::ports::Outbox;
        let shop = shop(way).await;
        let saga = ends(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let audited = shop.stores.audit.events(saga.order_id(), None, 100).await.unwrap();
        let mut names: Vec<_> = audited.iter().map(|entry| entry.event_type.to_string()).collect();
        names.sort_unstable();
        let expected = [
            "inventory.reserved",
            "order.confirmed",
            "order.created",
            "payment.approved",
            "shipping.scheduled",
        ];
        assert_eq!(names, expected);
        assert!(
            shop.stores.order.waiting(None, 10).await.unwrap().is_empty(),
            "nothing is left to say"
        );
        shop.assert_no_dead_letters();
    }
}

#[tokio::test(start_paused = true)]
async fn late_gateway_answers_are_applied() {
    for way in WAYS {
        let mut settings = ShopSettings::of(way);
        settings.payment.timeout = Duration::from_secs(1);
        settings.gateway.latency = Duration::from_secs(10);
        let shop = Shop::open(ShopStores::default(), settings.clone()).await;
        shop.stock("MUG", 100).await;
        let saga = ends(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        assert_eq!(saga.status(), OrderStatus::Confirmed);
        assert_eq!(shop.money_held(saga.order_id()).await, 1_000);

        settings.order.policy.order_timeout = Duration::from_secs(3);
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 100).await;
        let saga = ends(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        assert_undone(&shop, &saga, "processing_payment", "deadline_exceeded").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_leaves_memory_while_it_waits_for_a_slow_gateway_and_comes_back_with_the_answer()
{
    for way in WAYS {
        let mut settings = ShopSettings::of(way);
        settings.gateway.latency = Duration::from_secs(8);
        // Twice too slow: once while it is asked, once during the pause that follows.
        settings.payment.timeout = Duration::from_secs(3);
        settings.payment.backoff = Backoff::new(Duration::from_secs(20), Duration::from_secs(30));
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 1).await;
        let order = place(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        let name = format!("payment/{order}");
        let lives = || shop.process.tree.actor(&name).is_some();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(lives(), "a gateway's usual answer finds it there");
        for after in [1, 3] {
            tokio::time::sleep(Duration::from_secs(after)).await;
            assert!(!lives(), "{way:?}: {:?}", shop.process.tree.actor(&name));
        }
        let saga = shop.rested(order).await;
        assert_eq!(saga.status(), OrderStatus::Confirmed);
        assert_eq!(saga.updated_at - saga.created_at, chrono::TimeDelta::seconds(8));
        assert_eq!(shop.money_held(order).await, 1_000);
        shop.assert_no_dead_letters();
    }
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_order_leaves_memory_until_its_dispatch_is_due_and_is_dispatched_in_time() {
    for (way, (after_s, stays)) in WAYS.into_iter().zip([(3, true), (60, false), (90, false)]) {
        let mut settings = ShopSettings::of(way);
        settings.order.policy.dispatch_after = Some(Duration::from_secs(after_s));
        let shop = Shop::open(ShopStores::default(), settings).await;
        shop.stock("MUG", 1).await;
        let order = place(&shop, order_of(&[("MUG", 1)], "credit_card")).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let lives = shop.process.tree.actor(&format!("saga/{order}")).is_some();
        assert_eq!(lives, stays, "{way:?}");
        let saga = shop.rested(order).await;
        assert_eq!(saga.status(), OrderStatus::Shipped);
        let (due, late) =
            (chrono::TimeDelta::seconds(after_s.cast_signed()), saga.updated_at - saga.created_at);
        assert!(late >= due && late < due + chrono::TimeDelta::seconds(2), "{late}");
    }
}
