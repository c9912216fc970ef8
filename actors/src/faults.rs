//! Points at which a process can be told to kill itself, or an actor to panic, for the tests that have it
//! happen there.
//!
//! ```text
//! ORDERMILL_CRASH=committed:3       SIGKILL at the third passage of `committed`
//! ORDERMILL_PANIC=compensating:6    a panic at each of the first six passages of `compensating`
//! ```
//!
//! Behind the feature `faults`. Without it, as in every build that is shipped, [`passes`] is empty and the
//! variables mean nothing.

use strum::{IntoStaticStr, VariantArray};

/// A named point on a message's way through a service's components, or in a process's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Point {
    /// A database's tables are about to be brought up to date.
    Unmigrated,
    /// A database's tables are up to date; the next database's are not.
    Migrated,
    /// A delivery has come, and nobody has decided anything yet.
    Delivered,
    /// A batch is gathered, its transaction not begun.
    Gathered,
    /// A batch is written, its COMMIT not said.
    Written,
    /// A batch is committed: nothing is published of it, and nobody answered.
    Committed,
    /// The messages of a batch are with the relay; the senders of its changes have no answer yet.
    Offered,
    /// A row of the outbox is handed to the broker, which has not confirmed it.
    Published,
    /// The broker has confirmed a row of the outbox, which is not forgotten.
    Confirmed,
    /// The effects of a delivery are committed, and it is not acknowledged.
    Unacked,
    /// The gateway has answered, and nobody has written it down.
    GatewayAnswered,
    /// An order is being undone, and the next step of it is about to be written.
    Compensating,
    /// Overdue orders are claimed, and not looked at.
    OrdersClaimed,
    /// Payments that were left without an answer are found, and not taken up.
    PaymentsFound,
    /// The outbox of a process that is gone is taken over, and not read.
    Adopted,
    /// The process was asked to stop, and takes nothing in any more.
    Draining,
}

impl Point {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// As the variables name it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The process passes this point: its end, when it was told to end here, or the actor's.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn passes(_: Point) {}

/// The process passes this point: its end, when it was told to end here, or the actor's.
#[cfg(feature = "faults")]
pub fn passes(point: Point) {
    let passage = |plan: &Option<plan::Plan>| plan.as_ref().and_then(|plan| plan.passage(point));
    match passage(&plan::CRASH) {
        Some((passage, planned)) if passage == planned => plan::end(point),
        Some(_) | None => {}
    }
    match passage(&plan::PANIC) {
        Some((passage, planned)) if passage <= planned => {
            panic!("planned panic at {}: {passage} of {planned}", point.name())
        }
        Some(_) | None => {}
    }
}

#[cfg(feature = "faults")]
#[expect(clippy::print_stderr, reason = "a process that kills itself has no time to log")]
mod plan {
    use super::Point;
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// Where this process was told at its start to end.
    pub static CRASH: LazyLock<Option<Plan>> = LazyLock::new(|| Plan::of("ORDERMILL_CRASH"));
    /// Where it was told that actors panic.
    pub static PANIC: LazyLock<Option<Plan>> = LazyLock::new(|| Plan::of("ORDERMILL_PANIC"));

    /// A point, and a number of passages.
    pub struct Plan {
        point: Point,
        planned: u64,
        passed: AtomicU64,
    }

    impl Plan {
        fn of(variable: &str) -> Option<Self> {
            let text = std::env::var(variable).ok()?;
            let plan = Self::read(&text);
            if plan.is_none() {
                eprintln!(
                    "{variable}={text} is ignored: unknown fault point, or invalid number of passages"
                );
            }
            plan
        }

        /// `name:n`, or `name` for the first passage.
        pub fn read(text: &str) -> Option<Self> {
            let (name, planned) = text.split_once(':').unwrap_or((text, "1"));
            let point = *Point::ALL.iter().find(|point| point.name() == name)?;
            Some(Self { point, planned: planned.parse().ok()?, passed: AtomicU64::new(0) })
        }

        /// Counts a passage of its point: the how manieth it is, and the planned one.
        pub fn passage(&self, point: Point) -> Option<(u64, u64)> {
            (point == self.point).then(|| (self.passed.fetch_add(1, Relaxed) + 1, self.planned))
        }
    }

    /// As a power cut would: nothing is closed, nothing flushed, nobody told.
    pub fn end(point: Point) {
        eprintln!("killed at {}", point.name());
        let killed = kill_process(getpid(), Signal::KILL);
        // A signal to oneself arrives before the call returns.
        unreachable!("SIGKILL was sent, and has not ended the process: {killed:?}");
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_point_is_found_by_its_name() {
            for &point in Point::ALL {
                let plan = Plan::read(&format!("{}:2", point.name())).unwrap();
                let passages = [point, point, point].map(|point| plan.passage(point).unwrap());
                assert_eq!(passages, [(1, 2), (2, 2), (3, 2)], "{point:?}");
            }
            let plan = Plan::read("written").unwrap();
            assert_eq!(plan.passage(Point::Committed), None, "another point");
            assert_eq!(plan.passage(Point::Written), Some((1, 1)));
            assert!(Plan::read("nowhere:1").is_none());
            assert!(Plan::read("written:soon").is_none());
        }
    }
}
