//! A consumer: consumes one queue, as long as somebody wants it to.
//!
//! ```text
//! channel ─▶ prefetch ─▶ consume ─▶ deliveries to the sink, acks to the broker
//!    ▲                                  │
//!    └── connection, channel or queue gone, nothing comes though messages wait
//! ```
//!
//! When it is no longer wanted it takes no more, and stays until what is in hand is acknowledged or dropped, so
//! that no ack under way is lost.

use crate::acks::Acks;
use crate::delivery_guard::{DeliveryGuard, Origin};
use crate::error::LinkError;
use crate::link::{ANSWERED_WITHIN, Link, Live, RETRY, answer};
use crate::publisher::Publisher;
use crate::{probe, wire};
use futures::future::{FutureExt, try_join_all};
use futures::stream::StreamExt;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use ordermill_actors::ports::{DeadMessage, Delivery, DeliverySink};
use ordermill_domain::messages::Queue;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a consumer checks itself.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// A consumer that gets nothing for so long asks whether anything waits.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// What waits this long after that question, while nothing comes, will not come.
const STALL_AFTER: Duration = Duration::from_secs(5);

/// How long unacknowledged deliveries are waited for when the consumer is no longer wanted. Then they go back.
const GRACE: Duration = Duration::from_secs(60);

/// Deliveries handed out between two looks at the acks.
const BURST: usize = 64;

/// What a consumer does with its deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The queue's messages are handled.
    Work,
    /// Its dead letters are stored.
    DeadLetters,
}

/// What a consumer task is made of.
pub struct ConsumerTask {
    pub link: Link,
    pub queue: Queue,
    pub purpose: Purpose,
    pub prefetch: u16,
    pub sink: Arc<dyn DeliverySink>,
    /// Where copies of what failed are published.
    pub copies: Publisher,
    /// Counts unacknowledged deliveries.
    pub unacked: Arc<AtomicU64>,
    /// Nobody wants it any more.
    pub stop: CancellationToken,
}

/// A channel that is being consumed.
struct ConsumerChannel {
    channel: Channel,
    consumer: Consumer,
    acks: Arc<Acks>,
    void: CancellationToken,
    last_delivery: Instant,
    checked_depth: Option<Instant>,
    /// Set when the consumer is no longer wanted: until when it waits.
    leaving: Option<Instant>,
}

impl ConsumerTask {
    /// Consumes until nobody wants it any more.
    pub async fn run(self) {
        let mut failures = 0;
        let name = self.name();
        while let Some(Some(live)) = self.stop.run_until_cancelled(self.link.live()).await {
            let begun = Instant::now();
            let Err(error) = self.consume(&live).await else { return };
            if self.stop.is_cancelled() {
                return tracing::debug!(queue = %name, cause = %error, "consumer stopped");
            }
            if error.is_missing()
                && let Err(error) = live.declare().await
            {
                tracing::error!(queue = %name, %error, "declaring the topology again failed");
            }
            if begun.elapsed() > ANSWERED_WITHIN {
                failures = 0;
            }
            let pause = RETRY.delay(failures);
            failures += 1;
            tracing::warn!(queue = %name, cause = %error, again_in = ?pause, "consumer interrupted");
            self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn name(&self) -> String {
        match self.purpose {
            Purpose::Work => self.queue.as_str().to_owned(),
            Purpose::DeadLetters => self.queue.dlq(),
        }
    }

    async fn consume(&self, live: &Live) -> Result<(), LinkError> {
        let mut consuming = self.open(live).await?;
        let ended = live.unless_ended(self.pump(live, &mut consuming)).await;
        consuming.acks.close();
        consuming.void.cancel();
        if !matches!(ended, Err(LinkError::Gone)) {
            // What is unacknowledged goes back to the queue with the channel's end.
            let _ = answer(ANSWERED_WITHIN, consuming.channel.close(200, "OK".into())).await;
        }
        ended
    }

    async fn open(&self, live: &Live) -> Result<ConsumerChannel, LinkError> {
        let channel = live.channel().await?;
        let limited = channel.basic_qos(self.prefetch, BasicQosOptions::default());
        live.unless_ended(answer(ANSWERED_WITHIN, limited)).await?;
        let consumed = channel.basic_consume(
            self.name().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = live.unless_ended(answer(ANSWERED_WITHIN, consumed)).await?;
        Ok(ConsumerChannel {
            channel,
            consumer,
            acks: Acks::new(self.unacked.clone()),
            void: CancellationToken::new(),
            last_delivery: Instant::now(),
            checked_depth: None,
            leaving: None,
        })
    }

    async fn pump(&self, live: &Live, consuming: &mut ConsumerChannel) -> Result<(), LinkError> {
        let mut look = tokio::time::interval(CHECK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if consuming.leaving.is_none() => {
                    consuming.leaving = Some(Instant::now() + GRACE);
                    let cancelled = consuming.channel.basic_cancel(consuming.consumer.tag(), BasicCancelOptions::default());
                    answer(ANSWERED_WITHIN, cancelled).await?;
                }
                // Before what may always be ready: the broker can have more at every turn.
                _ = look.tick() => self.check(live, consuming).await?,
                () = consuming.acks.due() => {}
                delivery = consuming.consumer.next(), if consuming.leaving.is_none() => {
                    self.hand_out(consuming, delivery)?;
                    for _ in 1..BURST {
                        let Some(delivery) = consuming.consumer.next().now_or_never() else { break };
                        self.hand_out(consuming, delivery)?;
                    }
                }
            }
            self.send_acks(consuming).await?;
            if consuming
                .leaving
                .is_some_and(|until| consuming.acks.awaited() == 0 || until < Instant::now())
            {
                return Ok(());
            }
        }
    }

    fn hand_out(
        &self,
        consuming: &mut ConsumerChannel,
        delivery: Option<lapin::Result<lapin::message::Delivery>>,
    ) -> Result<(), LinkError> {
        let delivery = delivery.ok_or(LinkError::Cancelled)??;
        consuming.last_delivery = Instant::now();
        consuming.checked_depth = None;
        let (tag, properties) = (delivery.delivery_tag, delivery.properties);
        let content = wire::read(&delivery.data);
        let failures = wire::failures(&properties);
        consuming.acks.delivered(tag);
        match self.purpose {
            Purpose::Work => {
                let hold = DeliveryGuard::new(Origin {
                    queue: self.queue,
                    tag,
                    properties,
                    bytes: Arc::new(delivery.data),
                    failures,
                    acks: consuming.acks.clone(),
                    void: consuming.void.clone(),
                    copies: self.copies.clone(),
                });
                let (queue, channel) = (self.queue, Arc::new(hold));
                self.sink.deliver(Delivery { queue, content, failures, tag, channel });
            }
            Purpose::DeadLetters => {
                let guard = DeadLetterGuard { acks: consuming.acks.clone(), tag: Some(tag) };
                let (queue, cause) = (self.queue, wire::cause(&properties));
                let stored = Box::new(move || guard.close());
                self.sink.store_dead_letter(DeadMessage {
                    queue,
                    content,
                    failures,
                    cause,
                    stored,
                });
            }
        }
        Ok(())
    }

    /// Tells the broker what is acknowledged.
    async fn send_acks(&self, consuming: &ConsumerChannel) -> Result<(), LinkError> {
        let acks = consuming.acks.take(self.prefetch.into(), consuming.leaving.is_some());
        let sent = acks.into_iter().map(|ack| {
            let options = BasicAckOptions { multiple: ack.multiple };
            answer(ANSWERED_WITHIN, consuming.channel.basic_ack(ack.tag, options))
        });
        try_join_all(sent).await.map(drop)
    }

    async fn check(&self, live: &Live, consuming: &mut ConsumerChannel) -> Result<(), LinkError> {
        if consuming.acks.owes() {
            return Err(LinkError::Dropped);
        }
        let has_room = consuming.acks.held() < self.prefetch.into();
        if consuming.leaving.is_some() || !has_room || consuming.last_delivery.elapsed() < IDLE_MAX
        {
            return Ok(());
        }
        match consuming.checked_depth {
            Some(since) if since.elapsed() >= STALL_AFTER => Err(LinkError::Stalled),
            Some(_) => Ok(()),
            None => {
                let channel = live.channel().await?;
                if probe::depth(&channel, &self.name()).await?.ready > 0 {
                    consuming.checked_depth = Some(Instant::now());
                } else {
                    consuming.last_delivery = Instant::now();
                }
                Ok(())
            }
        }
    }
}

/// A dead letter that is being stored. Dropped, it comes again.
struct DeadLetterGuard {
    acks: Arc<Acks>,
    tag: Option<u64>,
}

impl DeadLetterGuard {
    fn close(mut self) {
        if let Some(tag) = self.tag.take() {
            self.acks.acknowledge(tag);
        }
    }
}

impl Drop for DeadLetterGuard {
    fn drop(&mut self) {
        if let Some(tag) = self.tag.take() {
            self.acks.drop_delivery(tag);
        }
    }
}
