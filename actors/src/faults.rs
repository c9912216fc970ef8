//! Points at which a process can be told to kill itself, for the tests that kill it there.
//!
//! ```text
//! ORDERMILL_CRASH=committed:3     SIGKILL at the third passage of `committed`
//! ```
//!
//! Behind the feature `faults`. Without it, as in every build that is shipped, [`passes`] is empty and the
//! variable means nothing.

/// A named point on a message's way through the stations, or in a process's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// What a batch says is with the relay; whoever waits for it is not answered.
    Offered,
    /// A row of the outbox is handed to the broker, which has not confirmed it.
    Published,
    /// The broker has confirmed a row of the outbox, which is not forgotten.
    Confirmed,
    /// What a delivery caused is committed, the delivery not acked.
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
    pub const ALL: [Self; 16] = [
        Self::Unmigrated,
        Self::Migrated,
        Self::Delivered,
        Self::Gathered,
        Self::Written,
        Self::Committed,
        Self::Offered,
        Self::Published,
        Self::Confirmed,
        Self::Unacked,
        Self::GatewayAnswered,
        Self::Compensating,
        Self::OrdersClaimed,
        Self::PaymentsFound,
        Self::Adopted,
        Self::Draining,
    ];

    /// As `ORDERMILL_CRASH` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unmigrated => "unmigrated",
            Self::Migrated => "migrated",
            Self::Delivered => "delivered",
            Self::Gathered => "gathered",
            Self::Written => "written",
            Self::Committed => "committed",
            Self::Offered => "offered",
            Self::Published => "published",
            Self::Confirmed => "confirmed",
            Self::Unacked => "unacked",
            Self::GatewayAnswered => "gateway-answered",
            Self::Compensating => "compensating",
            Self::OrdersClaimed => "orders-claimed",
            Self::PaymentsFound => "payments-found",
            Self::Adopted => "adopted",
            Self::Draining => "draining",
        }
    }
}

/// The process passes this point: its end, when it was told to end here.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn passes(_: Point) {}

/// The process passes this point: its end, when it was told to end here.
#[cfg(feature = "faults")]
pub fn passes(point: Point) {
    if let Some(plan) = plan::PLAN.as_ref()
        && plan.is_fulfilled_by(point)
    {
        plan::end(point);
    }
}

#[cfg(feature = "faults")]
mod plan {
    use super::Point;
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    const VARIABLE: &str = "ORDERMILL_CRASH";

    /// What this process was told at its start.
    pub static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let plan = Plan::read(&text);
        if plan.is_none() {
            eprintln!("{VARIABLE}={text} names no point, or no number of passages: it is ignored");
        }
        plan
    });

    /// Where to end, and after how many passages.
    pub struct Plan {
        point: Point,
        at: u64,
        passed: AtomicU64,
    }

    impl Plan {
        /// `name:n`, or `name` for the first passage.
        pub fn read(text: &str) -> Option<Self> {
            let (name, at) = text.split_once(':').unwrap_or((text, "1"));
            let point = Point::ALL.into_iter().find(|point| point.name() == name)?;
            Some(Self { point, at: at.parse().ok()?, passed: AtomicU64::new(0) })
        }

        /// Counts a passage: true for the one that was meant, once.
        pub fn is_fulfilled_by(&self, point: Point) -> bool {
            point == self.point && self.passed.fetch_add(1, Relaxed) + 1 == self.at
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
            for point in Point::ALL {
                let plan = Plan::read(&format!("{}:2", point.name())).unwrap();
                let passages = [point, point, point].map(|point| plan.is_fulfilled_by(point));
                assert_eq!(passages, [false, true, false], "{point:?}");
            }
            assert!(Plan::read("nowhere:1").is_none());
            assert!(Plan::read("written:soon").is_none());
        }
    }
}
