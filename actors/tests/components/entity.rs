//! Entities decide ahead of the disk, and are never believed before it.

use crate::toy::{Bench, Counter, OPENING, POISON, ask};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::testing::CommitFault;
use std::sync::atomic::Ordering::Relaxed;

#[tokio::test(start_paused = true)]
async fn decisions_pipeline_into_few_transactions() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    let receivers: Vec<_> = (0..200)
        .map(|_| {
            let (ticket, receiver) = Ticket::channel();
            adders.ask(&1, 1, ticket);
            receiver
        })
        .collect();
    for (index, receiver) in receivers.into_iter().enumerate() {
        assert!(matches!(receiver.await, Ok(TicketOutcome::Done(sum)) if sum == index as i64 + 1));
    }
    assert_eq!(bench.counter(1), Counter { version: 200, sum: 200 });
    assert!(bench.store.commits() < 20, "{} commits", bench.store.commits());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_changes_nothing_waits_for_what_it_is_based_on() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    bench.store.fail([CommitFault::Unavailable; 3]);
    let (ticket, _added) = Ticket::channel();
    adders.ask(&1, 5, ticket);
    let (ticket, mut looked) = Ticket::channel();
    adders.ask(&1, 0, ticket);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert!(looked.try_recv().is_err(), "5 is not committed, so nobody may see it");
    assert!(matches!(looked.await, Ok(TicketOutcome::Done(5))));
}

#[tokio::test(start_paused = true)]
async fn another_process_may_write_the_same_row_and_nothing_is_lost() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    assert_eq!(ask(&adders, 1, 1).await, 1);
    // Somebody else adds 10 behind the actor's back, again and again.
    for round in 0..20 {
        bench.store.with_mut(|tables| {
            let counter = tables.0.get_mut(&1).unwrap();
            *counter = Counter { version: counter.version + 1, sum: counter.sum + 10 };
        });
        assert_eq!(ask(&adders, 1, 1).await, (round + 1) * 11 + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_entity_is_not_loaded_and_a_wrong_assumption_is_decided_on_the_row() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    assert_eq!(ask(&adders, 1, OPENING).await, OPENING);
    assert_eq!(bench.loads.load(Relaxed), 0);
    // Told in an earlier life, by a message that comes a second time.
    bench.store.with_mut(|tables| {
        tables.0.insert(2, Counter { version: 3, sum: 5 });
    });
    assert_eq!(ask(&adders, 2, OPENING).await, OPENING + 5);
    assert_eq!(bench.counter(2), Counter { version: 4, sum: OPENING + 5 });
    assert_eq!(bench.loads.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn commits_that_fail_in_every_way_lose_and_double_nothing_that_was_answered() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    let mut added = 0;
    for fault in [
        CommitFault::Unavailable,
        CommitFault::UnknownLost,
        CommitFault::Unavailable,
        CommitFault::UnknownLost,
    ] {
        bench.store.fail([fault]);
        added += 1;
        assert_eq!(ask(&adders, 1, 1).await, added);
    }
    assert_eq!(bench.counter(1).sum, added);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_attempt_of_its_own_message_only() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    assert_eq!(ask(&adders, 1, 1).await, 1);
    let (ticket, poisoned) = Ticket::channel();
    adders.ask(&1, POISON, ticket);
    let (ticket, behind) = Ticket::channel();
    adders.ask(&1, 1, ticket);
    assert!(matches!(poisoned.await, Ok(TicketOutcome::Retry(_))), "counted");
    let behind = behind.await;
    assert!(matches!(behind, Ok(TicketOutcome::Abandoned)), "not its fault: {behind:?}");
    assert_eq!(ask(&adders, 1, 1).await, 2, "started again from the store");
    assert_eq!(ask(&adders, 2, 1).await, 1, "neighbours notice nothing");
}

#[tokio::test(start_paused = true)]
async fn idle_entities_leave_memory_and_come_back() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    for key in 0..50 {
        ask(&adders, key, 1).await;
    }
    assert_eq!(adders.len(), 50);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(adders.len(), 0);
    assert_eq!(ask(&adders, 7, 1).await, 2);
}
