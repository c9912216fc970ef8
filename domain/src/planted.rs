//! Planted bugs: what the simulation must be able to find.
//!
//! Each is one condition at the place in the real code where somebody could make that mistake. Without the
//! feature `planted`, [`planted`] is `false` for the compiler, and nothing of it is in the program. With it, a
//! bug is there only in a thread that asked for it: a simulation lives in one thread, so that each run has
//! its own bug, or none.

use std::fmt;

macro_rules! bugs {
    ($($variant:ident = $name:literal, $what:literal;)*) => {
        /// A mistake that somebody could make.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Bug {
            $(#[doc = $what] $variant,)*
        }

        impl Bug {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that it is chosen by.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The description of the bug.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }
        }
    };
}

bugs! {
    AckEarly = "ack-early", "A delivery is acknowledged before its effect is committed.";
    ForgetUnconfirmed = "forget-unconfirmed", "An outbox row is deleted without a publisher confirm.";
    ForgetOutbox = "forget-outbox", "Outbox rows of a terminated process are never adopted.";
    NoRescan = "no-rescan", "After a commit with unknown outcome the outbox is not rescanned.";
    UnknownIsFailed = "unknown-is-failed", "A commit with unknown outcome is treated as failed.";
    IgnoreVersion = "ignore-version", "A change is written without checking the row version.";
    EffectFirst = "effect-first", "The gateway is called before the intent is committed.";
    DropDedupe = "drop-dedupe", "A repeated reservation command reserves again.";
    StockFromMemory = "stock-from-memory", "Stock is not checked again on the locked row.";
    RestockTwice = "restock-twice", "A duplicate release returns the stock twice.";
    NoTombstone = "no-tombstone", "A release that arrives before its reservation leaves no tombstone.";
    FreshKey = "fresh-key", "A retried charge uses a new idempotency key.";
    TimeoutIsDeclined = "timeout-is-declined", "A charge without a response is treated as declined.";
    NoPaymentTombstone = "no-forestall", "A refund that arrives before its payment leaves no tombstone.";
    AnyAmount = "any-amount", "The captured amount is not compared with the requested amount.";
    DenialIsFinal = "denial-is-final", "A denied try at a page declines the payment.";
    TrustNotification = "trust-notification", "A notification's claim is taken for the gateway's answer.";
    SkipRelease = "skip-release", "Compensation skips the stock.";
    UndoAnsweredOnly = "undo-answered-only", "Compensation skips steps without a reply.";
    ConfirmUnpaid = "confirm-unpaid", "An order proceeds as soon as its payment is requested.";
    CancelDispatched = "cancel-dispatched", "An order can be cancelled after its dispatch was requested.";
    NoResend = "no-resend", "A command with a late reply is not sent again.";
    ForgetRequest = "forget-request", "An Idempotency-Key is not looked up.";
    RefuseFromMemory = "refuse-from-memory", "A request is rejected from memory without reading the row.";
    MovementNotWritten = "movement-not-written", "The stock ledger has no entry for a release.";
    TellTwice = "tell-twice", "A duplicate event notifies the customer again.";
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Bug {
    /// True in a build that has them.
    pub const THERE: bool = cfg!(feature = "planted");

    /// The bug of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.name() == name)
    }
}

/// True where this bug is wanted.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn planted(_: Bug) -> bool {
    false
}

/// True where this bug is wanted: in this thread.
#[cfg(feature = "planted")]
pub fn planted(bug: Bug) -> bool {
    CHOSEN.get() == Some(bug)
}

#[cfg(feature = "planted")]
thread_local! {
    static CHOSEN: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// A bug in this thread, until it is dropped.
#[derive(Debug)]
pub struct Planted(());

impl Planted {
    /// Plants a bug in this thread, or makes sure that there is none. Without the feature, none comes up.
    #[must_use]
    pub fn here(bug: Option<Bug>) -> Self {
        #[cfg(feature = "planted")]
        CHOSEN.set(bug);
        #[cfg(not(feature = "planted"))]
        let _ = bug;
        Self(())
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        #[cfg(feature = "planted")]
        CHOSEN.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_there_only_in_the_thread_that_asked_for_it_and_only_in_builds_that_have_them() {
        let planted_here = Planted::here(Some(Bug::AckEarly));
        assert_eq!(planted(Bug::AckEarly), Bug::THERE);
        assert!(!planted(Bug::NoResend));
        let elsewhere = std::thread::spawn(|| planted(Bug::AckEarly)).join().unwrap();
        assert!(!elsewhere);
        drop(planted_here);
        assert!(!planted(Bug::AckEarly));
    }

    #[test]
    fn names_are_words_of_their_own() {
        for bug in Bug::ALL {
            assert_eq!(Bug::named(bug.name()), Some(*bug));
        }
        assert_eq!(Bug::named("none"), None);
    }
}
