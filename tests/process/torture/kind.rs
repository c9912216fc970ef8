//! What is done to a system, by name.

use super::wire::Cut;
use crate::process::random::Random;
use crate::process::stack::Which;
use ordermill_actors::faults::Point;

/// One thing that is done to a system while customers buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process kills itself at a named point.
    At(Point),
    /// `kill -9` at any moment.
    Killed,
    /// `kill -9` while it starts.
    Starting,
    /// SIGSTOP, and SIGCONT later.
    Frozen,
    /// `kill -9` of a server, which is brought back at once.
    Server(Which),
    /// A connection that breaks at a word.
    Cut(Cut),
}

/// On a data directory: nobody else's outbox can be taken over there.
pub fn on_embedded() -> Vec<Kind> {
    let points = Point::ALL.iter().copied().filter(|point| *point != Point::Adopted);
    points.map(Kind::At).chain([Kind::Killed, Kind::Starting, Kind::Frozen]).collect()
}

/// On PostgreSQL and RabbitMQ.
pub fn on_servers() -> Vec<Kind> {
    let servers = [Which::Postgres, Which::RabbitMq].map(Kind::Server);
    let cuts = [Cut::BeforeCommit, Cut::AfterCommit, Cut::Confirm].map(Kind::Cut);
    let mut kinds = on_embedded();
    kinds.push(Kind::At(Point::Adopted));
    kinds.extend(servers.into_iter().chain(cuts));
    kinds
}

impl Kind {
    /// As the table and `--kind` call it.
    pub fn name(self) -> String {
        match self {
            Self::At(point) => format!("at-{}", point.name()),
            Self::Killed => "killed".to_owned(),
            Self::Starting => "killed-starting".to_owned(),
            Self::Frozen => "frozen".to_owned(),
            Self::Server(which) => format!("{}-killed", which.name()),
            Self::Cut(Cut::BeforeCommit) => "cut-before-commit".to_owned(),
            Self::Cut(Cut::AfterCommit) => "cut-after-commit".to_owned(),
            Self::Cut(Cut::Confirm) => "cut-at-confirm".to_owned(),
        }
    }

    /// How often it is drawn, next to the others: plain kills hit whatever nobody thought of, and servers
    /// take seconds to come back.
    fn weight(self) -> usize {
        match self {
            Self::Killed => 6,
            Self::Cut(_) => 3,
            Self::At(_) => 2,
            Self::Starting | Self::Frozen | Self::Server(_) => 1,
        }
    }
}

/// Draws one.
pub fn draw(kinds: &[Kind], random: &mut Random) -> Kind {
    let tickets: Vec<Kind> =
        kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, kind.weight())).collect();
    tickets[random.within(0, tickets.len() as u64) as usize]
}

/// At which passage the process kills itself: within what a few seconds of load bring.
pub fn passage(point: Point, random: &mut Random) -> u64 {
    let most = match point {
        // One a database.
        Point::Unmigrated | Point::Migrated => 7,
        Point::Gathered
        | Point::Written
        | Point::Committed
        | Point::Offered
        | Point::Published
        | Point::Confirmed
        | Point::Delivered
        | Point::Unacked => 300,
        Point::GatewayAnswered => 60,
        Point::Compensating => 20,
        Point::OrdersClaimed => 2,
        Point::PaymentsFound | Point::Adopted | Point::Draining => 1,
    };
    random.within(1, most + 1)
}
