//! Rates, whose unit is the delivery.

use super::*;

/// A rate after so many seconds, in each of which so much is done, in bundles of a size.
async fn after(seconds: u64, each: u64, size: u64) -> Rate {
    let mut rate = Rate::new();
    for second in 1..=seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        rate.measure(second * each, second * each * size, 1);
    }
    rate
}

#[tokio::test(start_paused = true)]
async fn a_delivery_waits_as_long_whatever_its_size() {
    for size in [1, 64] {
        let rate = after(10, 100, size).await;
        assert_eq!(rate.lag_ms(50), 500);
        assert_eq!(rate.times(2).lag_ms(50), 250);
    }
}

#[tokio::test(start_paused = true)]
async fn few_bundles_are_a_backlog_where_as_few_messages_are_none() {
    let (messages, bundles) = (after(10, 10, 1).await, after(10, 10, 64).await);
    assert_eq!((messages.backlog_ms(100), bundles.backlog_ms(100)), (0, 10_000));
    assert_eq!(
        bundles.backlog_ms(5),
        0,
        "some three hundred messages pass before anybody could act"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stalled_queue_is_as_late_as_it_has_stalled() {
    let mut rate = after(10, 1_000, 1).await;
    let mut lags = Vec::new();
    for second in 1..=45 {
        tokio::time::advance(Duration::from_secs(1)).await;
        lags.push(rate.measure(10_000, 10_000, 1_000 * second).backlog_ms(1_000 * second));
    }
    assert!(lags.iter().all(|lag| (1_000..=45_000).contains(lag)), "{lags:?}");
    assert_eq!((lags[9], lags[44]), (10_000, 45_000));

    tokio::time::advance(Duration::from_secs(1)).await;
    let lag = rate.measure(12_000, 12_000, 43_000).backlog_ms(43_000);
    assert!((20_000..=60_000).contains(&lag), "two thousand a second are done again: {lag}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_progress_has_no_rate() {
    let mut rate = Rate::new();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(rate.measure(0, 0, 9_000).backlog_ms(9_000), 2_000);
}

#[test]
fn an_unconsumed_queue_is_named() {
    let named = |name: &str, ready, consumers| {
        let queue = Queue::parse(name).unwrap();
        Depth { queue, ready, unacked: 0, consumers }
    };
    let depths = [
        named("inventory.commands", 820, 0),
        named("shipping.commands", 7, 1),
        named("order.events", 0, 0),
        named("payment.commands", 9, 0),
        named("audit.events", 70, 0),
    ];
    let is_ours = |queue| queue == Queue::AuditEvents;
    let words: Vec<_> =
        unconsumed_queues(&depths, is_ours).iter().map(ToString::to_string).collect();
    assert_eq!(words, ["no consumer on inventory.commands (820 messages waiting)"]);
}
