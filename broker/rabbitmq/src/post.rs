//! The post: publishes on one channel, pipelined, and learns of each letter what became of it.
//!
//! ```text
//! send ──▶ waiting ──publish──▶ in flight ──confirm──▶ done(Taken | Returned | Refused | Late)
//!             ▲                     │
//!             └── connection lost ──┘   in their order, before anything newer
//! ```
//!
//! Sending never blocks: what bounds the post is what its senders have under way (a relay's window).

use crate::error::Trouble;
use crate::link::{ANSWERED_WITHIN, Backoff, Link, Live, answer};
use crate::vital::Vital;
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
mod letter;

pub use letter::{Content, Fate, Letter};

use confirms::{Confirms, Identity};

/// Letters in flight at a time. Enough for any broker at hand (20,000 a second confirmed within 100 ms each), and few enough to
/// be published again at no cost.
const WINDOW: usize = 4_096;

/// A confirm that has not come by then will not come. A quorum queue that elects another leader takes up to
/// some 10 s.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How often letters are looked through for those whose confirms do not come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A post office. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    inbox: UnboundedSender<Letter>,
    open: Arc<AtomicUsize>,
}

impl Post {
    /// Opens one on a connection that is kept; it closes with the connection's keeper.
    pub fn open(link: Link, vital: &Vital) -> Self {
        let (inbox, letters) = unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let clerk = Clerk {
            letters,
            waiting: VecDeque::new(),
            flight: BTreeMap::new(),
            next: 0,
            latest_confirm: Instant::now(),
            open: open.clone(),
        };
        vital.spawn(|stop| clerk.work(link, stop));
        Self { inbox, open }
    }

    /// Sends a letter. What became of it is told exactly once.
    pub fn send(&self, letter: Letter) {
        self.open.fetch_add(1, Relaxed);
        if let Err(error) = self.inbox.send(letter) {
            // The office is closed: the process is ending, and whoever sent it keeps it.
            self.open.fetch_sub(1, Relaxed);
            (error.0.done)(Fate::Late);
        }
    }

    /// Letters of which it is not known yet what became of them.
    pub fn open_letters(&self) -> usize {
        self.open.load(Relaxed)
    }
}

struct Clerk {
    letters: UnboundedReceiver<Letter>,
    waiting: VecDeque<Letter>,
    /// By the number of their publish, that is, in their order.
    flight: BTreeMap<u64, InFlight>,
    next: u64,
    latest_confirm: Instant,
    open: Arc<AtomicUsize>,
}

struct InFlight {
    letter: Letter,
    since: Instant,
}

impl Clerk {
    async fn work(mut self, link: Link, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while let Some(Some(live)) = stop.run_until_cancelled(link.live()).await {
            let begun = Instant::now();
            let ended = stop.run_until_cancelled(self.serve(&live)).await;
            // At the end the connection goes at the same moment, which is no interruption.
            let Some(ended) = ended.filter(|_| !stop.is_cancelled()) else { break };
            // What was in flight comes before what is newer.
            for (_, InFlight { letter, .. }) in std::mem::take(&mut self.flight).into_iter().rev() {
                self.waiting.push_front(letter);
            }
            let waiting = self.waiting.len();
            tracing::warn!(cause = %ended, waiting, "publishing is interrupted");
            if ended.is_missing()
                && let Err(error) = live.declare().await
            {
                tracing::error!(%error, "the topology cannot be declared again");
            }
            if begun.elapsed() > ANSWERED_WITHIN {
                backoff = Backoff::new();
            }
            stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await;
        }
        self.close();
    }

    /// Publishes until the channel or its connection ends, and says why.
    async fn serve(&mut self, live: &Live) -> Trouble {
        let channel = match open(live).await {
            Ok(channel) => channel,
            Err(trouble) => {
                if matches!(trouble, Trouble::Silent(_)) {
                    live.give_up("it opens no channel");
                }
                return trouble;
            }
        };
        let mut confirms = Confirms::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        self.latest_confirm = Instant::now();
        loop {
            self.publish_what_waits(&channel, &mut confirms);
            tokio::select! {
                biased;
                () = live.ended() => return Trouble::Gone,
                () = confirms.some(), if !confirms.is_empty() => {
                    if let Err(error) = self.settle(&mut confirms) {
                        return error.into();
                    }
                }
                letter = self.letters.recv(), if self.flight.len() < WINDOW => match letter {
                    Some(letter) => self.waiting.push_back(letter),
                    None => return Trouble::Gone,
                },
                _ = look.tick() => self.look_for_late_ones(live),
            }
        }
    }

    fn publish_what_waits(&mut self, channel: &Channel, confirms: &mut Confirms) {
        while self.flight.len() < WINDOW {
            let next = self.waiting.pop_front().or_else(|| self.letters.try_recv().ok());
            let Some(letter) = next else { return };
            if letter.is_void() {
                self.finish(letter, Fate::Late);
                continue;
            }
            let number = self.next;
            self.next += 1;
            confirms.publish(channel, number, &letter);
            self.flight.insert(number, InFlight { letter, since: Instant::now() });
        }
    }

    fn settle(&mut self, confirms: &mut Confirms) -> lapin::Result<()> {
        let batch = confirms.take();
        let is_returned = |letter: &Letter| {
            !batch.returned.is_empty() && batch.returned.contains(&Identity::of(letter))
        };
        for (number, confirmation) in batch.confirmed {
            let Some(InFlight { letter, since }) = self.flight.remove(&number) else { continue };
            self.latest_confirm = Instant::now();
            match confirmation {
                Confirmation::Ack(_) if is_returned(&letter) => {
                    self.finish(letter, Fate::Returned);
                }
                Confirmation::Ack(None) => self.finish(letter, Fate::Taken),
                // It bears another's return, and its own may be with a third: once more is safe.
                Confirmation::Ack(Some(_)) => self.waiting.push_front(letter),
                Confirmation::Nack(_) => self.finish(letter, Fate::Refused),
                Confirmation::NotRequested => {
                    self.flight.insert(number, InFlight { letter, since });
                }
            }
        }
        // Returned, and not confirmed yet: the confirm will say nothing of it.
        let mut returned: Vec<u64> = Vec::new();
        if !batch.returned.is_empty() {
            let flight = self.flight.iter().filter(|(_, flight)| is_returned(&flight.letter));
            returned.extend(flight.map(|(number, _)| *number));
        }
        for number in returned {
            if let Some(InFlight { letter, .. }) = self.flight.remove(&number) {
                self.finish(letter, Fate::Returned);
            }
        }
        batch.ended
    }

    /// Gives up letters whose confirms do not come, or the connection when no confirm comes at all.
    fn look_for_late_ones(&mut self, live: &Live) {
        // A broker that is blocked owes no confirm.
        let Some(flows_since) = live.flows_since() else { return };
        let late = |since: Instant| since.max(flows_since).elapsed() > CONFIRM_TIMEOUT;
        let Some((_, oldest)) = self.flight.first_key_value() else { return };
        if !late(oldest.since) {
            return;
        }
        if late(self.latest_confirm) {
            return live.give_up("no confirm comes");
        }
        while let Some(oldest) = self.flight.first_entry()
            && late(oldest.get().since)
        {
            let InFlight { letter, .. } = oldest.remove();
            tracing::warn!(exchange = %letter.exchange, key = %letter.key, "no confirm of a message comes");
            self.finish(letter, Fate::Late);
        }
    }

    fn finish(&self, letter: Letter, fate: Fate) {
        (letter.done)(fate);
        self.open.fetch_sub(1, Relaxed);
    }

    /// Tells whoever still waits that nobody knows.
    fn close(mut self) {
        self.letters.close();
        while let Ok(letter) = self.letters.try_recv() {
            self.waiting.push_back(letter);
        }
        let flight = std::mem::take(&mut self.flight).into_values().map(|flight| flight.letter);
        let waiting = std::mem::take(&mut self.waiting);
        for letter in flight.chain(waiting) {
            self.finish(letter, Fate::Late);
        }
    }
}

async fn open(live: &Live) -> Result<Channel, Trouble> {
    let channel = live.channel().await?;
    let confirming = channel.confirm_select(ConfirmSelectOptions::default());
    live.unless_ended(answer(ANSWERED_WITHIN, confirming)).await?;
    Ok(channel)
}
