//! A system under torture: its processes, the servers beneath, the wires between, and what is done to them.

use super::kind::{Kind, passage};
use super::recovery::{self, Recovery};
use super::wire::{Cut, Wire};
use crate::process::customers::{CustomerResults, stock_up};
use crate::process::processes::Processes;
use crate::process::random::Random;
use crate::process::server::Server;
use crate::process::setup::Setup;
use crate::process::shop::Shop;
use crate::process::stack::{Stack, Which};
use ordermill_actors::faults::Point;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest until a process comes to a point that it was told of, or a wire to its word. What is to be
/// taken over is looked for every 5 s.
const COMES_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether it has.
const POLL_EVERY: Duration = Duration::from_millis(5);
/// Where there was nothing to take over for so long, somebody is killed, who leaves something.
const NOTHING_LEFT: Duration = Duration::from_secs(4);
/// A quorum queue that is killed within a second of its declaration loses what it had confirmed.
const SETTLING: Duration = Duration::from_secs(3);
const SIGKILL: i32 = 9;
/// What a process said is read by then.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// A system on a place of its own.
pub struct Environment {
    /// Where it is, and how it is set up.
    pub setup: Setup,
    crew: Processes,
    processes: usize,
    servers: Option<Servers>,
    /// Orders that were placed to see whether they go through.
    pub results: CustomerResults,
}

struct Servers {
    stack: Arc<Stack>,
    database: Wire,
    broker: Wire,
}

/// Answers are late soon, so that there is always something to take up.
fn hurried(setup: Setup, random: &mut Random) -> Setup {
    let setup = match random.within(0, 3) {
        0 => setup.with("ORDERMILL_FLOW", "choreographed"),
        1 => setup.with("ORDERMILL_PLAN", "payment-first"),
        _ => setup,
    };
    setup.with("PAYMENT_TIMEOUT", "300ms").with("ORDERMILL_STEP_TIMEOUT", "700ms")
}

impl Environment {
    /// One process on an empty data directory.
    pub async fn embedded(random: &mut Random) -> Self {
        Self::new(hurried(Setup::embedded(), random), 1, None).await
    }

    /// Two processes on an empty database and an empty vhost, by wires.
    pub async fn on_servers(stack: &Arc<Stack>, random: &mut Random) -> Self {
        let setup = hurried(Setup::on(&stack.servers), random);
        let (database_url, amqp_url) = {
            let place = setup.on_servers();
            (place.database_url.clone(), place.amqp_url.clone())
        };
        let (database, broker) = (Wire::to(&database_url).await, Wire::to(&amqp_url).await);
        let setup = setup
            .with("DATABASE_URL", &database.url(&database_url))
            .with("AMQP_URL", &broker.url(&amqp_url));
        let environment =
            Self::new(setup, 2, Some(Servers { stack: stack.clone(), database, broker })).await;
        tokio::time::sleep(SETTLING).await;
        environment
    }

    async fn new(setup: Setup, processes: usize, servers: Option<Servers>) -> Self {
        let crew = Processes::alike(&setup, processes);
        stock_up(&crew.servers()[0]).await;
        Self { setup, crew, processes, servers, results: CustomerResults::default() }
    }

    /// A customer at each server, whoever is behind it just now.
    pub fn customers(&self) -> Vec<Shop> {
        self.crew.servers()
    }

    fn servers(&self) -> &Servers {
        self.servers.as_ref().expect("what needs servers is drawn on servers only")
    }

    /// Does it. Everybody is there again afterwards, or on their way; what a server's recovery took.
    pub async fn suffers(&mut self, kind: Kind, random: &mut Random) -> Option<Recovery> {
        let victim = random.within(0, self.processes as u64) as usize;
        let moment = Duration::from_millis(random.within(10, 500)) * self.setup.slowness().min(2);
        match kind {
            Kind::At(point) => self.ends_at(victim, point, random, moment).await,
            Kind::Killed => {
                tokio::time::sleep(moment).await;
                self.kill_and_start(victim).await;
            }
            Kind::Starting => {
                self.crew.kill9(victim);
                self.crew.launch(victim);
                tokio::time::sleep(moment / 2).await;
                self.kill_and_start(victim).await;
            }
            Kind::Frozen => {
                tokio::time::sleep(moment).await;
                self.crew.server(victim).signal("STOP");
                tokio::time::sleep(Duration::from_millis(random.within(100, 4_000))).await;
                self.crew.server(victim).signal("CONT");
            }
            Kind::Server(which) => {
                tokio::time::sleep(moment).await;
                return Some(self.loses(which, random).await);
            }
            Kind::Cut(cut) => self.is_cut(cut, random).await,
        }
        None
    }

    /// Has a process end at a point: from its start, as it may be there that the point is.
    async fn ends_at(
        &mut self,
        victim: usize,
        point: Point,
        random: &mut Random,
        moment: Duration,
    ) {
        let plan = format!("{}:{}", point.name(), passage(point, random));
        self.crew.kill9(victim);
        self.crew.launch_with(victim, "ORDERMILL_CRASH", &plan);
        if point == Point::Draining {
            self.serves(victim).await;
            tokio::time::sleep(moment).await;
            self.crew.server(victim).signal("TERM");
        }
        let begun = Instant::now();
        let mut idle = Instant::now();
        while self.crew.server_mut(victim).is_some_and(Server::runs) {
            assert!(begun.elapsed() < COMES_WITHIN, "it never comes to {plan}");
            if idle.elapsed() > NOTHING_LEFT {
                idle = Instant::now();
                match point {
                    // What a process leaves is found by whoever runs meanwhile; alone, by itself at its start.
                    Point::Adopted | Point::PaymentsFound if self.crew.servers().len() > 1 => {
                        self.kill_and_start(1 - victim).await;
                    }
                    Point::PaymentsFound => {
                        self.crew.kill9(victim);
                        self.crew.launch_with(victim, "ORDERMILL_CRASH", &plan);
                    }
                    _ => {}
                }
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        let server = self.crew.server_mut(victim).expect("it was started above");
        let status = server.ended(POLL_EVERY).await;
        assert_eq!(status.signal(), Some(SIGKILL), "it has ended by itself, told of {plan}");
        let said = format!("killed at {}", point.name());
        let ended = Instant::now();
        // Its last words are read by a thread of their own.
        while !server.log().contains(&said) {
            assert!(ended.elapsed() < READ_WITHIN, "it was killed by another, told of {plan}");
            tokio::time::sleep(POLL_EVERY).await;
        }
        self.crew.launch(victim);
        self.serves(victim).await;
    }

    async fn kill_and_start(&mut self, victim: usize) {
        self.crew.kill9(victim);
        self.crew.launch(victim);
        self.serves(victim).await;
    }

    /// Waits, without keeping the customers' threads from their work.
    async fn serves(&mut self, victim: usize) {
        let server = self.crew.server_mut(victim).expect("it was started");
        tokio::task::block_in_place(|| server.serves());
    }

    /// Kills a server and brings it back at once: how long orders stood still.
    async fn loses(&mut self, which: Which, random: &mut Random) -> Recovery {
        let stack = self.servers().stack.clone();
        let killed = Instant::now();
        stack.kill9(which);
        let back = tokio::task::spawn_blocking(move || {
            stack.bring_back(which);
            Instant::now()
        });
        let name = format!("impatient-{:x}", random.next());
        let (settled, results) = recovery::settled(&self.crew.servers()[0], &name).await;
        self.results.extend(results);
        let answers = back.await.expect("it comes back");
        Recovery { away: answers - killed, settled: settled - killed }
    }

    async fn is_cut(&self, cut: Cut, random: &mut Random) {
        let Servers { database, broker, .. } = self.servers();
        let wire = match cut {
            Cut::BeforeCommit | Cut::AfterCommit => database,
            Cut::Confirm => broker,
        };
        wire.cut(cut, random.within(0, 200));
        let begun = Instant::now();
        while !wire.has_cut() {
            assert!(begun.elapsed() < COMES_WITHIN, "nobody says what is to be cut at {cut:?}");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Has all processes end in good order.
    pub async fn terminate(self) -> Setup {
        self.crew.terminate().await;
        self.setup
    }
}
