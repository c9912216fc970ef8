//! Which deliveries of a channel are still open, and which acks are due.
//!
//! Acks come one by one and out of order; the broker is told of many at once, but only up to the oldest
//! delivery that is still open:
//!
//! ```text
//! tags      1 2 3 4 5 6 7        1, 2, 3 and 5 are done
//!           ✓ ✓ ✓ · ✓ · ·        one ack, multiple, up to 3; 5 waits for 4
//! ```
//!
//! What waits behind a slow one takes room that the prefetch gives, so when it is much or has waited long, it
//! is acked singly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An ack waits this long at the most for older deliveries, so that many can be told at once.
const WAITS_MAX: Duration = Duration::from_secs(1);

/// Of the prefetch, this share may be done and wait for older deliveries.
const WAITING_SHARE: usize = 4;

/// A delivery that was dropped and never acknowledged goes back to its queue after this time. Not at once: whoever
/// drops it is most likely about to go, and would get it again and again.
const DROPPED_MAX: Duration = Duration::from_secs(30);

/// An ack to be told to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub tag: u64,
    pub multiple: bool,
}

/// The deliveries of one channel, from its opening to its end.
pub struct Acks {
    states: Mutex<DeliveryStates>,
    due: Notify,
    /// Counts for the whole queue, over all channels.
    unacked: Arc<AtomicU64>,
}

#[derive(Default)]
struct DeliveryStates {
    /// With somebody who will acknowledge them.
    open: BTreeSet<u64>,
    /// Dropped: nobody will acknowledge them, and the channel's end gives them back.
    dropped: BTreeMap<u64, Instant>,
    /// Done, and not told yet.
    done: BTreeMap<u64, Instant>,
    closed: bool,
}

impl Acks {
    /// For a new channel.
    pub fn new(unacked: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { states: Mutex::default(), due: Notify::new(), unacked })
    }

    /// A delivery came.
    pub fn delivered(&self, tag: u64) {
        self.lock().open.insert(tag);
        self.unacked.fetch_add(1, Relaxed);
    }

    /// A delivery is done with: the broker may forget it.
    pub fn acknowledge(&self, tag: u64) {
        let mut states = self.lock();
        if !states.closed && states.open.remove(&tag) {
            states.done.insert(tag, Instant::now());
            self.unacked.fetch_sub(1, Relaxed);
            self.due.notify_one();
        }
    }

    /// A delivery was dropped: nobody will acknowledge it.
    pub fn drop_delivery(&self, tag: u64) {
        let mut states = self.lock();
        if !states.closed && states.open.remove(&tag) {
            states.dropped.insert(tag, Instant::now());
            self.due.notify_one();
        }
    }

    /// Completes when something was acknowledged since it last did.
    pub async fn due(&self) {
        self.due.notified().await;
    }

    /// The acks to be told now; `all`: nothing waits for older deliveries any more.
    pub fn take(&self, prefetch: usize, all: bool) -> Vec<Ack> {
        self.lock().take(prefetch, all, Instant::now())
    }

    /// Deliveries that somebody may still acknowledge, or that are acknowledged and not sent.
    pub fn awaited(&self) -> usize {
        let states = self.lock();
        states.open.len() + states.done.len()
    }

    /// Deliveries that the broker counts against the prefetch.
    pub fn held(&self) -> usize {
        let states = self.lock();
        states.open.len() + states.done.len() + states.dropped.len()
    }

    /// True when something was dropped so long ago that the channel should end, to give it back.
    pub fn owes(&self) -> bool {
        self.lock().dropped.values().any(|since| since.elapsed() >= DROPPED_MAX)
    }

    /// The channel is no more: the broker gives what it held to somebody else.
    pub fn close(&self) {
        let mut states = self.lock();
        if !states.closed {
            states.closed = true;
            let held = states.open.len() + states.dropped.len();
            self.unacked.fetch_sub(held as u64, Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, DeliveryStates> {
        self.states.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl DeliveryStates {
    fn take(&mut self, prefetch: usize, all: bool, now: Instant) -> Vec<Ack> {
        let open = self.open.first().copied();
        let dropped = self.dropped.first_key_value().map(|(tag, _)| *tag);
        let oldest = open.unwrap_or(u64::MAX).min(dropped.unwrap_or(u64::MAX));
        let waiting = self.done.split_off(&oldest);
        let told = std::mem::replace(&mut self.done, waiting);
        let mut acks = Vec::new();
        if let Some((tag, _)) = told.last_key_value() {
            acks.push(Ack { tag: *tag, multiple: true });
        }
        let long = |since: &Instant| now.saturating_duration_since(*since) >= WAITS_MAX;
        let much = self.done.len() >= (prefetch / WAITING_SHARE).max(1);
        if all || much || self.done.values().any(long) {
            let waiting = std::mem::take(&mut self.done);
            acks.extend(waiting.into_keys().map(|tag| Ack { tag, multiple: false }));
        }
        acks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFETCH: usize = 100;

    fn acks(delivered: u64) -> Arc<Acks> {
        let acks = Acks::new(Arc::default());
        (1..=delivered).for_each(|tag| acks.delivered(tag));
        acks
    }

    fn multiple(tag: u64) -> Ack {
        Ack { tag, multiple: true }
    }

    fn single(tag: u64) -> Ack {
        Ack { tag, multiple: false }
    }

    #[test]
    fn acks_are_sent_together_up_to_the_oldest_open_delivery() {
        let acks = acks(7);
        for tag in [2, 5, 1, 3] {
            acks.acknowledge(tag);
        }
        assert_eq!(acks.take(PREFETCH, false), [multiple(3)]);
        assert_eq!(acks.take(PREFETCH, false), [], "5 waits for 4");
        acks.acknowledge(4);
        assert_eq!(acks.take(PREFETCH, false), [multiple(5)]);
        assert_eq!(acks.held(), 2);
    }

    #[test]
    fn acks_behind_a_slow_delivery_are_sent_singly() {
        let acks = acks(27);
        (2..=25).for_each(|tag| acks.acknowledge(tag));
        assert_eq!(acks.take(PREFETCH, false), []);
        acks.acknowledge(26);
        assert_eq!(acks.take(PREFETCH, false), (2..=26).map(single).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn acks_are_sent_within_a_bounded_time() {
        let acks = acks(3);
        acks.acknowledge(2);
        assert_eq!(acks.take(PREFETCH, false), []);
        tokio::time::advance(WAITS_MAX).await;
        assert_eq!(acks.take(PREFETCH, false), [single(2)]);
    }

    #[test]
    fn dropped_deliveries_are_never_acknowledged_nor_waited_for() {
        let acks = acks(3);
        acks.drop_delivery(1);
        acks.acknowledge(2);
        acks.acknowledge(3);
        assert_eq!(acks.take(PREFETCH, false), []);
        assert_eq!(acks.take(PREFETCH, true), [single(2), single(3)]);
        assert_eq!((acks.awaited(), acks.held()), (0, 1));
    }

    #[test]
    fn acks_after_the_end_change_nothing() {
        let unacked = Arc::new(AtomicU64::new(0));
        let acks = Acks::new(unacked.clone());
        (1..=4).for_each(|tag| acks.delivered(tag));
        acks.acknowledge(1);
        acks.drop_delivery(2);
        assert_eq!(unacked.load(Relaxed), 3);
        acks.close();
        acks.acknowledge(3);
        acks.drop_delivery(4);
        assert_eq!(unacked.load(Relaxed), 0);
    }

    #[test]
    fn a_delivery_counts_once_however_often_it_is_acknowledged() {
        let acks = acks(2);
        acks.acknowledge(1);
        acks.acknowledge(1);
        acks.drop_delivery(1);
        assert_eq!(acks.take(PREFETCH, false), [multiple(1)]);
        acks.acknowledge(1);
        assert_eq!(acks.take(PREFETCH, false), []);
    }
}
