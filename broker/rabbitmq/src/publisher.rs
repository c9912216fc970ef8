//! The publisher: publishes on one channel, pipelined, and reports the outcome of each publish.
//!
//! ```text
//! send ──▶ waiting ──publish──▶ in flight ──confirm──▶ done(Taken | Returned | Refused | Late)
//!             ▲                     │
//!             └── connection lost ──┘   in their order, before anything newer
//! ```
//!
//! Sending never blocks: what bounds the publisher is what its senders have under way (a relay's window).

use crate::critical_tasks::CriticalTasks;
use crate::error::LinkError;
use crate::link::{ANSWERED_WITHIN, Link, Live, RETRY, answer};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Confirmation};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod confirms;
mod pending_publish;

pub use pending_publish::{ConfirmOutcome, Content, PendingPublish};

use confirms::{Confirms, Identity};

/// Publishes in flight at a time. Enough for any broker at hand (20,000 a second confirmed within 100 ms each), and few enough to
/// be published again at no cost.
const WINDOW: usize = 4_096;

/// A confirm that has not come by then will not come. A quorum queue that elects another leader takes up to
/// some 10 s.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How often publishes are checked for confirms that do not come.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The handle of the publisher task. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    inbox: UnboundedSender<PendingPublish>,
    open: Arc<AtomicUsize>,
}

impl Publisher {
    /// Opens one on a connection that is kept; it closes with the connection's keeper.
    pub fn open(link: Link, critical_tasks: &CriticalTasks) -> Self {
        let (inbox, publishes) = unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let task = PublisherTask {
            publishes,
            waiting: VecDeque::new(),
            flight: BTreeMap::new(),
            next: 0,
            latest_confirm: Instant::now(),
            open: open.clone(),
        };
        critical_tasks.spawn(|stop| task.work(link, stop));
        Self { inbox, open }
    }

    /// Queues a publish. What became of it is told exactly once.
    pub fn send(&self, publish: PendingPublish) {
        self.open.fetch_add(1, Relaxed);
        if let Err(error) = self.inbox.send(publish) {
            // The publisher is closed: the process is ending, and whoever sent it keeps it.
            self.open.fetch_sub(1, Relaxed);
            (error.0.done)(ConfirmOutcome::Late);
        }
    }

    /// Publishes whose outcome is not known yet.
    pub fn pending_publishes(&self) -> usize {
        self.open.load(Relaxed)
    }
}

struct PublisherTask {
    publishes: UnboundedReceiver<PendingPublish>,
    waiting: VecDeque<PendingPublish>,
    /// By the number of their publish, that is, in their order.
    flight: BTreeMap<u64, InFlight>,
    next: u64,
    latest_confirm: Instant,
    open: Arc<AtomicUsize>,
}

struct InFlight {
    publish: PendingPublish,
    since: Instant,
}

impl PublisherTask {
    async fn work(mut self, link: Link, stop: CancellationToken) {
        let mut failures = 0;
        while let Some(Some(live)) = stop.run_until_cancelled(link.live()).await {
            let begun = Instant::now();
            let ended = stop.run_until_cancelled(self.serve(&live)).await;
            // At the end the connection goes at the same moment, which is no interruption.
            let Some(ended) = ended.filter(|_| !stop.is_cancelled()) else { break };
            // What was in flight comes before what is newer.
            for (_, InFlight { publish, .. }) in std::mem::take(&mut self.flight).into_iter().rev()
            {
                self.waiting.push_front(publish);
            }
            let waiting = self.waiting.len();
            tracing::warn!(cause = %ended, waiting, "publisher interrupted");
            if ended.is_missing()
                && let Err(error) = live.declare().await
            {
                tracing::error!(%error, "declaring the topology again failed");
            }
            if begun.elapsed() > ANSWERED_WITHIN {
                failures = 0;
            }
            stop.run_until_cancelled(tokio::time::sleep(RETRY.delay(failures))).await;
            failures += 1;
        }
        self.close();
    }

    /// Publishes until the channel or its connection ends, and says why.
    async fn serve(&mut self, live: &Live) -> LinkError {
        let channel = match open(live).await {
            Ok(channel) => channel,
            Err(error) => {
                if matches!(error, LinkError::Silent(_)) {
                    live.give_up("opening a channel timed out");
                }
                return error;
            }
        };
        let mut confirms = Confirms::new();
        let mut check_interval = tokio::time::interval(CHECK_EVERY);
        self.latest_confirm = Instant::now();
        loop {
            self.publish_what_waits(&channel, &mut confirms);
            tokio::select! {
                biased;
                () = live.ended() => return LinkError::Gone,
                () = confirms.some(), if !confirms.is_empty() => {
                    if let Err(error) = self.take_confirms(&mut confirms) {
                        return error.into();
                    }
                }
                publish = self.publishes.recv(), if self.flight.len() < WINDOW => match publish {
                    Some(publish) => self.waiting.push_back(publish),
                    None => return LinkError::Gone,
                },
                _ = check_interval.tick() => self.give_up_late(live),
            }
        }
    }

    fn publish_what_waits(&mut self, channel: &Channel, confirms: &mut Confirms) {
        while self.flight.len() < WINDOW {
            let next = self.waiting.pop_front().or_else(|| self.publishes.try_recv().ok());
            let Some(publish) = next else { return };
            if publish.is_void() {
                self.finish(publish, ConfirmOutcome::Late);
                continue;
            }
            let number = self.next;
            self.next += 1;
            confirms.publish(channel, number, &publish);
            self.flight.insert(number, InFlight { publish, since: Instant::now() });
        }
    }

    fn take_confirms(&mut self, confirms: &mut Confirms) -> lapin::Result<()> {
        let batch = confirms.take();
        let is_returned = |publish: &PendingPublish| {
            !batch.returned.is_empty() && batch.returned.contains(&Identity::of(publish))
        };
        for (number, confirmation) in batch.confirmed {
            let Some(InFlight { publish, since }) = self.flight.remove(&number) else { continue };
            self.latest_confirm = Instant::now();
            match confirmation {
                Confirmation::Ack(_) if is_returned(&publish) => {
                    self.finish(publish, ConfirmOutcome::Returned);
                }
                Confirmation::Ack(None) => self.finish(publish, ConfirmOutcome::Taken),
                // It bears another's return, and its own may be with a third: once more is safe.
                Confirmation::Ack(Some(_)) => self.waiting.push_front(publish),
                Confirmation::Nack(_) => self.finish(publish, ConfirmOutcome::Refused),
                Confirmation::NotRequested => {
                    self.flight.insert(number, InFlight { publish, since });
                }
            }
        }
        // Returned, and not confirmed yet: the confirm will say nothing of it.
        let mut returned: Vec<u64> = Vec::new();
        if !batch.returned.is_empty() {
            let flight = self.flight.iter().filter(|(_, flight)| is_returned(&flight.publish));
            returned.extend(flight.map(|(number, _)| *number));
        }
        for number in returned {
            if let Some(InFlight { publish, .. }) = self.flight.remove(&number) {
                self.finish(publish, ConfirmOutcome::Returned);
            }
        }
        batch.ended
    }

    /// Gives up publishes whose confirms do not come, or the connection when no confirm comes at all.
    fn give_up_late(&mut self, live: &Live) {
        // A broker that is blocked owes no confirm.
        let Some(flows_since) = live.flows_since() else { return };
        let late = |since: Instant| since.max(flows_since).elapsed() > CONFIRM_TIMEOUT;
        let Some((_, oldest)) = self.flight.first_key_value() else { return };
        if !late(oldest.since) {
            return;
        }
        if late(self.latest_confirm) {
            return live.give_up("no publisher confirm received within 30 s");
        }
        while let Some(oldest) = self.flight.first_entry()
            && late(oldest.get().since)
        {
            let InFlight { publish, .. } = oldest.remove();
            tracing::warn!(exchange = %publish.exchange, key = %publish.key, "publisher confirm timed out after 30 s");
            self.finish(publish, ConfirmOutcome::Late);
        }
    }

    fn finish(&self, publish: PendingPublish, outcome: ConfirmOutcome) {
        (publish.done)(outcome);
        self.open.fetch_sub(1, Relaxed);
    }

    /// Tells whoever still waits that nobody knows.
    fn close(mut self) {
        self.publishes.close();
        while let Ok(publish) = self.publishes.try_recv() {
            self.waiting.push_back(publish);
        }
        let flight = std::mem::take(&mut self.flight).into_values().map(|flight| flight.publish);
        let waiting = std::mem::take(&mut self.waiting);
        for publish in flight.chain(waiting) {
            self.finish(publish, ConfirmOutcome::Late);
        }
    }
}

async fn open(live: &Live) -> Result<Channel, LinkError> {
    let channel = live.channel().await?;
    let confirming = channel.confirm_select(ConfirmSelectOptions::default());
    live.unless_ended(answer(ANSWERED_WITHIN, confirming)).await?;
    Ok(channel)
}
