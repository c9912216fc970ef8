//! Commits in groups, and what becomes of a group that goes wrong.

use crate::toy::{Bench, CURSED, Change, Counter, Toy};
use ordermill_actors::runtime::journal::{CommitOutcome, MemoryEpoch};
use ordermill_actors::testing::CommitFault;
use ordermill_domain::messages::Queue;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{DeadLetter, Service};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

fn add(key: u32, expected: u64) -> Change {
    let next = Counter { version: expected + 1, sum: 1 };
    Change { key, expected, next: Some(next) }
}

fn submit(bench: &Bench, change: Change) -> oneshot::Receiver<CommitOutcome<()>> {
    let (sender, receiver) = oneshot::channel();
    bench.journal.submit(change, move |outcome| drop(sender.send(outcome)));
    receiver
}

fn submit_in_epoch(
    bench: &Bench,
    epoch: &Arc<MemoryEpoch>,
    change: Change,
) -> oneshot::Receiver<CommitOutcome<()>> {
    let (sender, receiver) = oneshot::channel();
    bench.journal.submit_in_epoch(epoch, change, move |outcome| drop(sender.send(outcome)));
    receiver
}

#[tokio::test(start_paused = true)]
async fn while_one_transaction_commits_the_next_gathers() {
    let bench = Bench::new().await;
    let outcomes: Vec<_> = (0..500).map(|key| submit(&bench, add(key, 0))).collect();
    for outcome in outcomes {
        assert!(matches!(outcome.await, Ok(CommitOutcome::Done(()))));
    }
    assert!(bench.store.commits() <= 3, "{} commits for 500 changes", bench.store.commits());
    let offered: usize = bench.offered.rows.lock().unwrap().iter().map(OutboxRow::size).sum();
    assert!(offered >= 500, "every message is offered once it is committed");
}

#[tokio::test(start_paused = true)]
async fn after_a_group_the_next_waits_for_company_but_not_for_long() {
    let bench = Bench::new().await;
    let began = Instant::now();
    for outcome in [1, 2, 3].map(|key| submit(&bench, add(key, 0))) {
        assert!(matches!(outcome.await, Ok(CommitOutcome::Done(()))));
    }
    // The first went alone, the other two together: one more waits for another, or for its time.
    let alone = submit(&bench, add(4, 0));
    assert!(matches!(alone.await, Ok(CommitOutcome::Done(()))));
    assert_eq!(began.elapsed(), Toy::GATHER, "nobody else came");
}

#[tokio::test(start_paused = true)]
async fn as_many_as_the_last_time_do_not_wait_for_more() {
    let bench = Bench::new().await;
    for outcome in [1, 2, 3].map(|key| submit(&bench, add(key, 0))) {
        assert!(matches!(outcome.await, Ok(CommitOutcome::Done(()))));
    }
    let (began, commits) = (Instant::now(), bench.store.commits());
    let one = submit(&bench, add(4, 0));
    let meanwhile = Toy::GATHER - Duration::from_millis(2);
    tokio::time::sleep(meanwhile).await;
    let another = submit(&bench, add(5, 0));
    for outcome in [one, another] {
        assert!(matches!(outcome.await, Ok(CommitOutcome::Done(()))));
    }
    assert_eq!(began.elapsed(), meanwhile, "they are as many as the last ones were");
    assert_eq!(bench.store.commits(), commits + 1);
}

#[tokio::test(start_paused = true)]
async fn a_single_change_does_not_wait() {
    let bench = Bench::new().await;
    let began = Instant::now();
    for expected in 0..10 {
        assert!(matches!(submit(&bench, add(1, expected)).await, Ok(CommitOutcome::Done(()))));
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_change_on_another_version_is_refused_and_takes_its_followers_along() {
    let bench = Bench::new().await;
    assert!(matches!(submit(&bench, add(1, 0)).await, Ok(CommitOutcome::Done(()))));
    let epoch = Arc::new(MemoryEpoch::default());
    let [stale, follower] =
        [0, 1].map(|expected| submit_in_epoch(&bench, &epoch, add(1, expected)));
    let neighbour = submit(&bench, add(2, 0));
    assert!(matches!(stale.await, Ok(CommitOutcome::Refused)));
    assert!(
        matches!(follower.await, Ok(CommitOutcome::Refused)),
        "decided on top of a refused one"
    );
    assert!(matches!(neighbour.await, Ok(CommitOutcome::Done(()))));
    assert_eq!(bench.counter(1).version, 1);
}

#[tokio::test(start_paused = true)]
async fn changes_of_an_invalidated_epoch_are_never_written() {
    let bench = Bench::new().await;
    let epoch = Arc::new(MemoryEpoch::default());
    epoch.invalidate();
    assert!(matches!(submit_in_epoch(&bench, &epoch, add(1, 0)).await, Ok(CommitOutcome::Refused)));
    assert_eq!(bench.counter(1), Counter::default());
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_database_is_waited_for() {
    let bench = Bench::new().await;
    bench.store.fail([CommitFault::Unavailable; 5]);
    let outcome = submit(&bench, add(1, 0));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(bench.journal.health().unavailable_cause().is_some_and(|cause| !cause.is_empty()));
    assert!(matches!(outcome.await, Ok(CommitOutcome::Done(()))));
    assert_eq!(bench.journal.health().unavailable_cause(), None);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_tells_nobody_anything_and_has_the_outbox_looked_at() {
    for fault in [CommitFault::UnknownLost, CommitFault::UnknownWritten] {
        let bench = Bench::new().await;
        let before = bench.offered.rescans.load(Relaxed);
        bench.store.fail([fault]);
        assert!(submit(&bench, add(1, 0)).await.is_err(), "the closure is dropped uncalled");
        assert_eq!(bench.offered.rescans.load(Relaxed), before + 1);
        let written = bench.counter(1).version;
        assert_eq!(written, u64::from(fault == CommitFault::UnknownWritten));
        assert!(matches!(submit(&bench, add(1, written)).await, Ok(CommitOutcome::Done(()))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_written_is_split_down_to_the_change_at_fault() {
    for at_fault in 0..5 {
        let bench = Bench::new().await;
        // The first transaction is alone; the next changes gather meanwhile.
        let first = submit(&bench, add(9, 0));
        let key = |place| if place == at_fault { CURSED } else { place };
        let outcomes: Vec<_> = (0..5).map(|place| submit(&bench, add(key(place), 0))).collect();
        let letter = store_dead_letter(&bench, "x");
        assert!(first.await.is_ok());
        for (place, outcome) in (0..).zip(outcomes) {
            match outcome.await.unwrap() {
                CommitOutcome::Failed(cause) => assert!(place == at_fault, "{place}: {cause}"),
                CommitOutcome::Done(()) => assert_ne!(place, at_fault),
                CommitOutcome::Refused => panic!("nobody is stale"),
            }
        }
        assert!(letter.await.is_ok(), "what the stations keep is nobody's fault");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_based_on_a_refused_change_is_not_written_from_the_other_half_of_the_batch() {
    let bench = Bench::new().await;
    // Another process was first in this row.
    assert!(matches!(submit(&bench, add(1, 0)).await, Ok(CommitOutcome::Done(()))));
    let epoch = Arc::new(MemoryEpoch::default());
    let first = submit(&bench, add(9, 0));
    let stale = submit_in_epoch(&bench, &epoch, add(1, 0));
    let neighbour = submit(&bench, add(2, 0));
    let at_fault = submit(&bench, add(CURSED, 0));
    let follower = submit_in_epoch(&bench, &epoch, add(1, 1));
    assert!(first.await.is_ok());
    assert!(matches!(stale.await, Ok(CommitOutcome::Refused)));
    assert!(matches!(neighbour.await, Ok(CommitOutcome::Done(()))));
    assert!(matches!(at_fault.await, Ok(CommitOutcome::Failed(_))));
    assert!(matches!(follower.await, Ok(CommitOutcome::Refused)), "its number fits, by chance");
    assert_eq!(bench.counter(1).version, 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_reports_an_error_is_not_unavailable() {
    let bench = Bench::new().await;
    bench.store.fail([CommitFault::Unavailable, CommitFault::Data]);
    assert!(matches!(submit(&bench, add(1, 0)).await, Ok(CommitOutcome::Failed(_))));
    assert!(!bench.journal.health().is_down());
}

#[tokio::test(start_paused = true)]
async fn a_restarted_journal_does_not_count_the_changes_of_its_predecessor() {
    let mut bench = Bench::new().await;
    bench.store.fail([CommitFault::Unavailable; 5]);
    let outcome = submit(&bench, add(1, 0));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(bench.journal.health().is_busy() && !bench.journal.health().wait().is_zero());
    bench.restart().await;
    assert!(
        matches!(outcome.await, Ok(CommitOutcome::Done(()))),
        "its transaction runs to its end"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.journal.health().wait(), Duration::ZERO);
    assert!(!bench.journal.health().is_busy() && !bench.journal.health().is_down());
}

fn store_dead_letter(bench: &Bench, body: &str) -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let letter = DeadLetter {
        id: bench.world.new_id(),
        queue: Queue::OrderEvents,
        order_id: None,
        event_type: None,
        cause: "malformed".to_owned(),
        attempts: 1,
        body: body.to_owned(),
        first_failed_at: bench.world.now(),
        died_at: bench.world.now(),
    };
    bench.journal.store_dead_letter(letter, Box::new(move || sender.send(()).unwrap_or_default()));
    receiver
}

#[tokio::test(start_paused = true)]
async fn a_failing_change_does_not_fail_dead_letters_of_its_batch() {
    let bench = Bench::new().await;
    let first = submit(&bench, add(9, 0));
    let (at_fault, dead_letter_count) =
        (submit(&bench, add(1, 0)), store_dead_letter(&bench, "\0x"));
    assert!(first.await.is_ok());
    // Both together, then the dead letter alone, then the change alone. In memory, faults come in turn.
    bench.store.fail([CommitFault::Data]);
    assert!(dead_letter_count.await.is_ok(), "it is stored");
    assert!(matches!(at_fault.await, Ok(CommitOutcome::Done(()))), "it was not at fault after all");
    let letters = bench.store.dead_letters();
    assert_eq!(
        (letters.len(), &*letters[0].body),
        (1, "\u{FFFD}x"),
        "without what no text column takes"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_stored_is_not_confirmed() {
    let bench = Bench::new().await;
    let before = bench.offered.rescans.load(Relaxed);
    bench.store.fail([CommitFault::Data]);
    assert!(store_dead_letter(&bench, "x").await.is_err(), "the broker keeps the message");
    assert_eq!(bench.offered.rescans.load(Relaxed), before + 1);
    assert!(store_dead_letter(&bench, "x").await.is_ok());
}
