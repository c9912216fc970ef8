//! What goes wrong: every kind of it, how often, and how often it has.

use super::chance::Chance;
use std::collections::BTreeMap;
use std::fmt;

macro_rules! faults {
    ($($variant:ident = $name:literal, $most:literal, $what:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $what] $variant,)*
        }

        impl Fault {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The words for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The highest rate that a seed may draw, in a thousand. 0: it does not come by a rate, but
            /// as one of the things that happen to a process.
            const fn most(self) -> u64 {
                match self { $(Self::$variant => $most,)* }
            }
        }
    };
}

faults! {
    Unavailable = "commit: database away", 100, "A commit finds the database away.";
    Contended = "commit: contended", 100, "A commit finds another process at the same rows.";
    UnknownLost = "commit: unknown, not written", 30, "A commit's outcome is unknown; nothing is written.";
    UnknownWritten = "commit: unknown, written", 30, "A commit's outcome is unknown; all is written.";
    Stalled = "database: stalled", 20, "A database takes longer than anybody waits for an answer.";
    ReadFails = "read: database away", 100, "A read finds the database away.";
    Lost = "publish: lost", 60, "A publish is lost before the broker has it.";
    Unconfirmed = "publish: confirm lost", 60, "A publish arrives, but not its confirm: it is published again.";
    Doubled = "message: doubled", 100, "The broker brings a message twice.";
    Delayed = "message: delayed", 60, "A message is under way so long that it is sent again meanwhile.";
    Overtaken = "message: out of order", 0, "A message overtakes another in its queue.";
    Forgotten = "message: forgotten", 20, "The broker loses a message that it had confirmed.";
    PartFailed = "bundle: a message fails", 100, "Of a bundle one message fails, and comes again by itself.";
    AckLost = "ack: lost with its channel", 30, "An ack is lost, and with it the channel: what it held comes again.";
    Unasked = "gateway: call lost", 100, "A call to the gateway is lost on its way there.";
    Unanswered = "gateway: answer lost", 100, "The gateway's answer is lost.";
    Late = "gateway: answer late", 60, "The gateway's answer comes after its timeout.";
    GatewayFails = "gateway: error after booking", 60, "The gateway books, and answers with an error.";
    WrongAmount = "gateway: wrong amount", 40, "Of some payments the gateway takes another amount than it was asked for.";
    DiesHere = "process: killed in mid-work", 3, "A process dies between two things that it does.";
    Killed = "process: killed", 0, "A process is killed (SIGKILL).";
    Stopped = "process: stopped", 0, "A process is stopped for a while (SIGSTOP).";
    Reconnected = "broker: connections lost", 0, "All connections to the broker break.";
    ClockSet = "clock: jumps", 0, "A process's clock jumps.";
    ActorKilled = "actor: killed", 0, "An actor is killed, whatever it is doing.";
}

/// How much more often things go wrong in a storm.
const STORM: u64 = 4;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often things go wrong, each in a thousand.
#[derive(Clone, Debug, Default)]
pub struct Rates(BTreeMap<Fault, u64>);

impl Rates {
    /// Each fault at a rate of its own, from never to often.
    pub(super) fn drawn(chance: &Chance) -> Self {
        // Now and then everything is as bad as hardly ever.
        let storm = if chance.below(8) == 0 { STORM } else { 1 };
        let rate = |most: u64| match chance.below(2) {
            0 => 0,
            _ => chance.below(most * storm + 1),
        };
        Self(Fault::ALL.iter().map(|fault| (*fault, rate(fault.most()))).collect())
    }

    /// The same without this fault.
    pub(super) fn without(mut self, fault: Fault) -> Self {
        self.0.remove(&fault);
        self
    }

    /// How often this goes wrong.
    pub(super) fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }
}

/// What has happened, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What went wrong.
    pub faults: BTreeMap<Fault, u64>,
    /// What was handled to the end: by service, and by the message's name.
    pub handled: BTreeMap<(&'static str, &'static str), u64>,
}

impl Coverage {
    /// Takes in what happened in another run.
    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (pair, count) in &other.handled {
            *self.handled.entry(*pair).or_default() += count;
        }
    }

    /// The kinds of fault that never came.
    pub fn missing(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|fault| !self.faults.contains_key(fault)).collect()
    }
}
