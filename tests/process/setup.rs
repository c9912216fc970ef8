//! What servers are started on: a place of the test's own, and settings.

use super::databases::Databases;
use super::place::{OnServers, Place, Servers};
use super::server::{Ended, Server, bare, bare_lab};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Ports of processes that are killed and come back: below those that the kernel hands out to whoever
/// connects, so that nobody takes one meanwhile, and above those of `scripts/stack`.
const PORTS: Range<u32> = 26_000..32_000;

/// A port that is free, and that no other test of this run has been given.
fn port() -> u32 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in PORTS {
        // Runs at the same time begin elsewhere.
        let number = std::process::id() * 64 + GIVEN.fetch_add(1, Relaxed);
        let port = PORTS.start + number % (PORTS.end - PORTS.start);
        if std::net::TcpListener::bind(format!("127.0.0.1:{port}")).is_ok() {
            return port;
        }
    }
    panic!("no port is free in {PORTS:?}");
}

/// A place and settings: what one server, or several at a time, are started on. Cheap to clone; a clone
/// is the same place.
#[derive(Clone)]
pub struct Setup {
    place: Arc<Place>,
    settings: Vec<(String, String)>,
}

impl Setup {
    /// An empty data directory.
    pub fn embedded() -> Self {
        Self::at(Place::embedded())
    }

    /// An empty database and an empty vhost on the servers of the tests.
    pub fn servers() -> Self {
        Self::on(&Servers::of_the_tests())
    }

    /// The same on other servers.
    pub fn on(servers: &Servers) -> Self {
        Self::at(Place::on(servers))
    }

    /// Any free port, little logging, and late orders looked at often.
    fn at(place: Place) -> Self {
        Self { place: Arc::new(place), settings: Vec::new() }
            .with("ORDERMILL_LISTEN", "127.0.0.1:0")
            .with("ORDERMILL_LOG", "warn")
            .with("ORDERMILL_SWEEP_INTERVAL", "100ms")
    }

    /// The same with a setting.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.settings.retain(|(name, _)| name != variable);
        self.settings.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same on a port that is free now and stays the same over restarts.
    pub fn with_port(self) -> Self {
        self.with("ORDERMILL_LISTEN", &format!("127.0.0.1:{}", port()))
    }

    /// Where it says it listens.
    pub fn listen(&self) -> &str {
        let listen = self.settings.iter().find(|(name, _)| name == "ORDERMILL_LISTEN");
        &listen.unwrap().1
    }

    /// How much longer things take here: servers answer over a network, and their first sessions are dear.
    pub fn slowness(&self) -> u32 {
        match &*self.place {
            Place::Embedded(_) => 1,
            Place::Servers(_) => 4,
        }
    }

    /// Where the embedded databases are, or will be.
    pub fn data(&self) -> PathBuf {
        self.place.data()
    }

    /// The database and the vhost.
    pub fn on_servers(&self) -> &OnServers {
        match &*self.place {
            Place::Servers(place) => place,
            Place::Embedded(_) => panic!("there are no servers here"),
        }
    }

    /// What the databases say, once no server runs, or while they do.
    pub fn databases(&self) -> Databases {
        Databases::of(&self.place)
    }

    /// The binary with these settings and nothing else of ours; they go before those of the place.
    pub fn command(&self) -> Command {
        self.configured(bare())
    }

    /// The same for `ordermill-lab`.
    pub fn lab(&self) -> Command {
        self.configured(bare_lab())
    }

    fn configured(&self, mut command: Command) -> Command {
        command.envs(self.place.settings());
        if let Place::Servers(_) = &*self.place {
            // The tests compare the records themselves. With it, six processes on one test machine read all the time.
            command.env("ORDERMILL_CHECK_INTERVAL", "off");
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it serves.
    pub fn start(&self) -> Server {
        let mut server = self.launch();
        server.serves();
        server
    }

    /// Starts it. It listens soon, and serves once it has found everything it needs.
    pub fn launch(&self) -> Server {
        Server::launch(self.command(), self.listen(), self.place.clone())
    }

    /// Runs it to its end, which is expected soon: its exit code, and all that it has said.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command().args(arguments))
    }
}
