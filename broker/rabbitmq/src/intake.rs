//! An intake: consumes one queue, as long as somebody wants it to.
//!
//! ```text
//! channel ─▶ prefetch ─▶ consume ─▶ deliveries to the sink, acks to the broker
//!    ▲                                  │
//!    └── connection, channel or queue gone, nothing comes though messages wait
//! ```
//!
//! When it is no longer wanted it takes no more, and stays until what is in hand is settled or dropped, so
//! that no ack under way is lost.

use crate::acks::Acks;
use crate::error::Trouble;
use crate::hold::{Hold, Origin};
use crate::link::{ANSWERED_WITHIN, Backoff, Link, Live, answer};
use crate::post::Post;
use crate::{probe, wire};
use futures::future::{FutureExt, try_join_all};
use futures::stream::StreamExt;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use ordermill_actors::messages::Queue;
use ordermill_actors::ports::{DeadMessage, Delivery, DeliverySink};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often an intake looks after itself.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// An intake that gets nothing for so long asks whether anything waits.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What waits this long after that question, while nothing comes, will not come.
const DOUBT: Duration = Duration::from_secs(5);

/// How long deliveries in hand are waited for when the intake is no longer wanted. Then they go back.
const GRACE: Duration = Duration::from_secs(60);

/// Deliveries handed out between two looks at the acks.
const BURST: usize = 64;

/// What an intake does with what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The queue's messages are handled.
    Work,
    /// Its dead letters are stored.
    Burial,
}

/// What an intake is made of.
pub struct Intake {
    pub link: Link,
    pub queue: Queue,
    pub purpose: Purpose,
    pub prefetch: u16,
    pub sink: Arc<dyn DeliverySink>,
    /// Where copies of what failed are posted.
    pub copies: Post,
    /// Counts what is in hand.
    pub unacked: Arc<AtomicU64>,
    /// Nobody wants it any more.
    pub stop: CancellationToken,
}

/// A channel that is being consumed.
struct Tap {
    channel: Channel,
    consumer: Consumer,
    acks: Arc<Acks>,
    void: CancellationToken,
    heard: Instant,
    doubted: Option<Instant>,
    /// Set when the intake is no longer wanted: until when it waits.
    leaving: Option<Instant>,
}

impl Intake {
    /// Consumes until nobody wants it any more.
    pub async fn run(self) {
        let mut backoff = Backoff::new();
        let name = self.name();
        while let Some(Some(live)) = self.stop.run_until_cancelled(self.link.live()).await {
            let begun = Instant::now();
            let Err(trouble) = self.consume(&live).await else { return };
            if self.stop.is_cancelled() {
                return tracing::debug!(queue = %name, cause = %trouble, "consuming ends");
            }
            if trouble.is_missing()
                && let Err(error) = live.declare().await
            {
                tracing::error!(queue = %name, %error, "the topology cannot be declared again");
            }
            if begun.elapsed() > ANSWERED_WITHIN {
                backoff = Backoff::new();
            }
            let pause = backoff.next();
            tracing::warn!(queue = %name, cause = %trouble, again_in = ?pause, "consuming is interrupted");
            self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn name(&self) -> String {
        match self.purpose {
            Purpose::Work => self.queue.as_str().to_owned(),
            Purpose::Burial => self.queue.dlq(),
        }
    }

    async fn consume(&self, live: &Live) -> Result<(), Trouble> {
        let mut tap = self.open(live).await?;
        let ended = live.unless_ended(self.pump(live, &mut tap)).await;
        tap.acks.close();
        tap.void.cancel();
        if !matches!(ended, Err(Trouble::Gone)) {
            // What is unsettled goes back to the queue with the channel's end.
            let _ = answer(ANSWERED_WITHIN, tap.channel.close(200, "OK".into())).await;
        }
        ended
    }

    async fn open(&self, live: &Live) -> Result<Tap, Trouble> {
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
        Ok(Tap {
            channel,
            consumer,
            acks: Acks::new(self.unacked.clone()),
            void: CancellationToken::new(),
            heard: Instant::now(),
            doubted: None,
            leaving: None,
        })
    }

    async fn pump(&self, live: &Live, tap: &mut Tap) -> Result<(), Trouble> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if tap.leaving.is_none() => {
                    tap.leaving = Some(Instant::now() + GRACE);
                    let cancelled = tap.channel.basic_cancel(tap.consumer.tag(), BasicCancelOptions::default());
                    answer(ANSWERED_WITHIN, cancelled).await?;
                }
                // Before what may always be ready: the broker can have more at every turn.
                _ = look.tick() => self.look_after(live, tap).await?,
                () = tap.acks.due() => {}
                delivery = tap.consumer.next(), if tap.leaving.is_none() => {
                    self.hand_out(tap, delivery)?;
                    for _ in 1..BURST {
                        let Some(delivery) = tap.consumer.next().now_or_never() else { break };
                        self.hand_out(tap, delivery)?;
                    }
                }
            }
            self.tell(tap).await?;
            if tap.leaving.is_some_and(|until| tap.acks.awaited() == 0 || until < Instant::now()) {
                return Ok(());
            }
        }
    }

    fn hand_out(
        &self,
        tap: &mut Tap,
        delivery: Option<lapin::Result<lapin::message::Delivery>>,
    ) -> Result<(), Trouble> {
        let delivery = delivery.ok_or(Trouble::Cancelled)??;
        tap.heard = Instant::now();
        tap.doubted = None;
        let (tag, properties) = (delivery.delivery_tag, delivery.properties);
        let content = wire::read(&delivery.data);
        let failures = wire::failures(&properties);
        tap.acks.delivered(tag);
        match self.purpose {
            Purpose::Work => {
                let hold = Hold::new(Origin {
                    queue: self.queue,
                    tag,
                    properties,
                    bytes: Arc::new(delivery.data),
                    failures,
                    acks: tap.acks.clone(),
                    void: tap.void.clone(),
                    copies: self.copies.clone(),
                });
                let (queue, channel) = (self.queue, Arc::new(hold));
                self.sink.deliver(Delivery { queue, content, failures, tag, channel });
            }
            Purpose::Burial => {
                let guard = DeadLetterGuard { acks: tap.acks.clone(), tag: Some(tag) };
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

    /// Tells the broker what is settled.
    async fn tell(&self, tap: &Tap) -> Result<(), Trouble> {
        let acks = tap.acks.take(self.prefetch.into(), tap.leaving.is_some());
        let told = acks.into_iter().map(|ack| {
            let options = BasicAckOptions { multiple: ack.multiple };
            answer(ANSWERED_WITHIN, tap.channel.basic_ack(ack.tag, options))
        });
        try_join_all(told).await.map(drop)
    }

    async fn look_after(&self, live: &Live, tap: &mut Tap) -> Result<(), Trouble> {
        if tap.acks.owes() {
            return Err(Trouble::Dropped);
        }
        let has_room = tap.acks.held() < self.prefetch.into();
        if tap.leaving.is_some() || !has_room || tap.heard.elapsed() < SILENCE_MAX {
            return Ok(());
        }
        match tap.doubted {
            Some(since) if since.elapsed() >= DOUBT => Err(Trouble::Stalled),
            Some(_) => Ok(()),
            None => {
                let channel = live.channel().await?;
                if probe::depth(&channel, &self.name()).await?.ready > 0 {
                    tap.doubted = Some(Instant::now());
                } else {
                    tap.heard = Instant::now();
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
            self.acks.settle(tag);
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
