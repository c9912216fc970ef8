//! A delivery in somebody's hands: how it is settled.
//!
//! What failed leaves as a copy, and is acked when the broker has confirmed the copy: to the retry exchange
//! of its service, from where it returns to its queue after the delay, or to the queue's dead letters.
//! When the copy cannot be published, it is tried again; the original stays unacked.

use crate::acks::Acks;
use crate::post::{Content, Fate, Letter, Post};
use crate::wire;
use lapin::BasicProperties;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::messages::{Queue, RETRY_DELAYS, retry_exchange};
use ordermill_actors::ports::{Channel, Failures};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A copy that could not be published is tried again after this pause.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A delivery as it came.
pub struct Origin {
    pub queue: Queue,
    pub tag: u64,
    pub properties: BasicProperties,
    pub bytes: Arc<Vec<u8>>,
    pub failures: Failures,
    /// Of the channel that it came by.
    pub acks: Arc<Acks>,
    /// Cancelled with that channel: from then on it is somebody else's.
    pub void: CancellationToken,
    /// Where copies are posted.
    pub copies: Post,
}

/// A consumer's hold on a delivery. Dropped unsettled, the delivery goes back to its queue when its
/// channel ends.
pub struct Hold {
    origin: Arc<Origin>,
    settled: AtomicBool,
}

impl Hold {
    /// A delivery that is handed out now.
    pub fn new(origin: Origin) -> Self {
        Self { origin: Arc::new(origin), settled: AtomicBool::new(false) }
    }

    /// True the first time.
    fn claim(&self) -> bool {
        !self.settled.swap(true, Relaxed)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.claim() {
            self.origin.acks.drop_delivery(self.origin.tag);
        }
    }
}

impl Channel for Hold {
    fn ack(&self, _: u64) {
        if self.claim() {
            self.origin.acks.settle(self.origin.tag);
        }
    }

    fn retry(&self, _: u64, cause: String, at: Timestamp) {
        if !self.claim() {
            return;
        }
        let Origin { queue, failures, .. } = *self.origin;
        let Some(delay) = RETRY_DELAYS.get(failures.count as usize) else {
            return Copy::dead(&self.origin, &cause, at).post();
        };
        let failures = failures.and(at);
        tracing::warn!(%queue, attempt = failures.count, %cause, ?delay, "a message failed; it comes again");
        Arc::new(Copy {
            exchange: retry_exchange(queue.service(), *delay).into(),
            key: queue.as_str().into(),
            properties: wire::again(&self.origin.properties, failures),
            origin: self.origin.clone(),
        })
        .post();
    }

    fn reject(&self, _: u64, cause: String, at: Timestamp) {
        if self.claim() {
            Copy::dead(&self.origin, &cause, at).post();
        }
    }
}

/// A copy that stands for a delivery.
struct Copy {
    origin: Arc<Origin>,
    exchange: Cow<'static, str>,
    key: Cow<'static, str>,
    properties: BasicProperties,
}

impl Copy {
    fn dead(origin: &Arc<Origin>, cause: &str, at: Timestamp) -> Arc<Self> {
        let Origin { queue, ref properties, failures, .. } = **origin;
        Arc::new(Self {
            exchange: "".into(),
            key: queue.dlq().into(),
            properties: wire::dead(properties, queue, failures.and(at), cause),
            origin: origin.clone(),
        })
    }

    fn post(self: Arc<Self>) {
        let letter = Letter {
            exchange: self.exchange.clone(),
            key: self.key.clone(),
            mandatory: true,
            properties: self.properties.clone(),
            content: Content::Raw(self.origin.bytes.clone()),
            void: Some(self.origin.void.clone()),
            done: Box::new({
                let copy = self.clone();
                move |fate| copy.posted(fate)
            }),
        };
        self.origin.copies.send(letter);
    }

    fn posted(self: Arc<Self>, fate: Fate) {
        match fate {
            Fate::Taken => self.origin.acks.settle(self.origin.tag),
            // Its channel is gone, and the delivery with it.
            _ if self.origin.void.is_cancelled() => {}
            Fate::Returned | Fate::Refused | Fate::Late => {
                tracing::warn!(queue = %self.origin.queue, ?fate, "the copy of a message that failed is not taken yet");
                // Outside of a runtime the process is ending, and the broker keeps the original.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move {
                        tokio::time::sleep(AGAIN_AFTER).await;
                        self.post();
                    });
                }
            }
        }
    }
}
