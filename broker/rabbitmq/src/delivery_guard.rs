//! A delivery in somebody's hands: how it is acknowledged.
//!
//! What failed leaves as a copy, and is acked when the broker has confirmed the copy: to the retry exchange
//! of its service, from where it returns to its queue after the delay, or to the queue's dead letters.
//! When the copy cannot be published, it is tried again; the original stays unacked. Of a bundle, each message
//! that failed leaves as a copy of its own, and the bundle is acked when the broker has all of them.

use crate::acks::Acks;
use crate::publisher::{ConfirmOutcome, Content, PendingPublish, Publisher};
use crate::wire;
use lapin::BasicProperties;
use ordermill_actors::ports::{DeliveryChannel, DeliveryPart, Remainder};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Queue, Unreadable, retry_exchange};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicUsize};
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
    /// Where copies are published.
    pub copies: Publisher,
}

/// A consumer's hold on a delivery. Dropped unacknowledged, the delivery goes back to its queue when its
/// channel ends.
pub struct DeliveryGuard {
    origin: Arc<Origin>,
    acknowledged: AtomicBool,
}

impl DeliveryGuard {
    /// A delivery that is handed out now.
    pub fn new(origin: Origin) -> Self {
        Self { origin: Arc::new(origin), acknowledged: AtomicBool::new(false) }
    }

    /// True the first time.
    fn claim(&self) -> bool {
        !self.acknowledged.swap(true, Relaxed)
    }
}

impl Drop for DeliveryGuard {
    fn drop(&mut self) {
        if self.claim() {
            self.origin.acks.drop_delivery(self.origin.tag);
        }
    }
}

impl DeliveryChannel for DeliveryGuard {
    fn acknowledge(&self, _: u64, remainder: Vec<Remainder>) {
        if !self.claim() {
            return;
        }
        if remainder.is_empty() {
            return self.origin.acks.acknowledge(self.origin.tag);
        }
        let open = Arc::new(AtomicUsize::new(remainder.len()));
        for remainder in remainder {
            Copy::of(&self.origin, remainder, open.clone()).publish();
        }
    }
}

/// A copy that stands for a delivery, or for a part of it.
struct Copy {
    origin: Arc<Origin>,
    /// Copies of the same delivery that are not taken yet.
    open: Arc<AtomicUsize>,
    exchange: Cow<'static, str>,
    key: Cow<'static, str>,
    properties: BasicProperties,
    content: Content,
}

impl Copy {
    fn of(origin: &Arc<Origin>, remainder: Remainder, open: Arc<AtomicUsize>) -> Arc<Self> {
        let delay = remainder.retry_after(origin.failures);
        let Remainder { part, cause, at, .. } = remainder;
        let (queue, failures) = (origin.queue, origin.failures.and(at));
        let (properties, content) = part_of(origin, part, failures);
        let (exchange, key, properties) = match delay {
            Some(delay) => {
                tracing::warn!(
                    %queue, attempt = failures.count, %cause, ?delay,
                    "message handling failed; redelivering"
                );
                let exchange = retry_exchange(queue.service(), delay).into();
                (exchange, queue.as_str().into(), properties)
            }
            None => ("".into(), queue.dlq().into(), wire::dead(properties, queue, &cause)),
        };
        Arc::new(Self { origin: origin.clone(), open, exchange, key, properties, content })
    }

    fn publish(self: Arc<Self>) {
        let publish = PendingPublish {
            exchange: self.exchange.clone(),
            key: self.key.clone(),
            mandatory: true,
            properties: self.properties.clone(),
            content: self.content.clone(),
            void: Some(self.origin.void.clone()),
            done: Box::new({
                let copy = self.clone();
                move |outcome| copy.published(outcome)
            }),
        };
        self.origin.copies.send(publish);
    }

    fn published(self: Arc<Self>, outcome: ConfirmOutcome) {
        match outcome {
            ConfirmOutcome::Taken => {
                if self.open.fetch_sub(1, AcqRel) == 1 {
                    self.origin.acks.acknowledge(self.origin.tag);
                }
            }
            // Its channel is gone, and the delivery with it.
            _ if self.origin.void.is_cancelled() => {}
            ConfirmOutcome::Returned | ConfirmOutcome::Refused | ConfirmOutcome::Late => {
                tracing::warn!(queue = %self.origin.queue, fate = ?outcome, "publishing a retry failed; trying again");
                // Outside of a runtime the process is ending, and the broker keeps the original.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move {
                        tokio::time::sleep(AGAIN_AFTER).await;
                        self.publish();
                    });
                }
            }
        }
    }
}

/// What a part of a delivery bears and says.
fn part_of(origin: &Origin, part: DeliveryPart, failures: Failures) -> (BasicProperties, Content) {
    match part {
        DeliveryPart::Whole => {
            (wire::again(&origin.properties, failures), Content::Raw(origin.bytes.clone()))
        }
        DeliveryPart::Message(message) => {
            let body = Body::One(message);
            let properties = wire::properties(origin.queue.exchange(), &body, failures);
            (properties, Content::Body(body))
        }
        DeliveryPart::Unreadable(Unreadable { body, .. }) => {
            // Nothing is known of it, and what the bundle says of itself is not its own.
            let properties = wire::again(&BasicProperties::default(), failures);
            (properties, Content::Raw(Arc::new(body.into_bytes())))
        }
    }
}
