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
    Unavailable = "commit: database unavailable", 100, "The database is unavailable at a commit.";
    Contended = "commit: contended", 100, "A commit conflicts with another process.";
    UnknownLost = "commit: unknown, not written", 30, "A commit's outcome is unknown; nothing is written.";
    UnknownWritten = "commit: unknown, written", 30, "A commit's outcome is unknown; all is written.";
    Stalled = "database: stalled", 20, "A database responds later than every timeout.";
    ReadFails = "read: database unavailable", 100, "The database is unavailable at a read.";
    Lost = "publish: lost", 60, "A publish is lost before it reaches the broker.";
    Unconfirmed = "publish: confirm lost", 60, "A publisher confirm is lost: the message is published again.";
    Doubled = "message: duplicated", 100, "The broker delivers a message twice.";
    Delayed = "message: delayed", 60, "A message is delayed so long that it is sent again.";
    Overtaken = "message: out of order", 0, "A message overtakes another in its queue.";
    Forgotten = "message: lost by the broker", 20, "The broker loses a confirmed message.";
    PartFailed = "bundle: a message fails", 100, "One message of a bundle fails and is redelivered alone.";
    AckLost = "ack: lost with its channel", 30, "An ack is lost with its channel: its deliveries are redelivered.";
    Unasked = "gateway: request lost", 100, "A request to the gateway is lost.";
    Unanswered = "gateway: response lost", 100, "The response of the gateway is lost.";
    Late = "gateway: response late", 60, "The response of the gateway arrives after the timeout.";
    GatewayFails = "gateway: error after booking", 60, "The gateway books the payment and responds with an error.";
    NotificationLost = "notification: lost", 200, "A notification of the gateway is lost.";
    NotificationDoubled = "notification: duplicated", 200, "A notification of the gateway comes twice.";
    NotificationLate = "notification: late", 100, "A notification of the gateway comes late.";
    NotificationForged = "notification: untrue", 60, "A notification claims money that the gateway does not have.";
    WrongAmount = "gateway: wrong amount", 40, "The gateway captures a wrong amount for some payments.";
    DiesHere = "process: killed between steps", 3, "A process is killed between two steps.";
    Killed = "process: killed", 0, "A process is killed (SIGKILL).";
    Stopped = "process: stopped", 0, "A process is stopped for a while (SIGSTOP).";
    Reconnected = "broker: connections lost", 0, "All connections to the broker are closed.";
    ClockSet = "clock: jumps", 0, "The clock of a process jumps.";
    ActorKilled = "actor: killed", 0, "An actor is killed at an arbitrary point.";
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
