//! A PostgreSQL and a RabbitMQ of a test's own, by `scripts/stack`: to be killed and brought back.

use super::place::Servers;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where stacks live, each by its name. A run that was broken off left one running: the next one takes it over.
const DIRECTORY: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/stack-");

/// One of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Postgres,
    RabbitMq,
}

impl Which {
    /// As `scripts/stack` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::RabbitMq => "rabbitmq",
        }
    }
}

/// Both servers. They are gone, with their data, when this is dropped.
pub struct Stack {
    pub servers: Servers,
    name: &'static str,
    settings: BTreeMap<String, String>,
}

impl Stack {
    /// Starts both, empty. A test's stack bears the test's name: no two of a name run at the same time.
    pub fn start(name: &'static str) -> Self {
        run(name, &["stop", "--wipe"]);
        run(name, &["start"]);
        let env = std::fs::read_to_string(PathBuf::from(directory(name)).join("env")).unwrap();
        let setting =
            |line: &str| line.split_once('=').map(|(key, value)| (key.into(), value.into()));
        let settings: BTreeMap<String, String> = env.lines().filter_map(setting).collect();
        let servers = Servers {
            database_url: settings["DATABASE_URL"].clone(),
            amqp_url: settings["AMQP_URL"].clone(),
            management_url: settings["MANAGEMENT_URL"].clone(),
        };
        Self { servers, name, settings }
    }

    /// Ends one as a power cut would.
    pub fn kill9(&self, which: Which) {
        let file = match which {
            Which::Postgres => "POSTGRES_PID_FILE",
            Which::RabbitMq => "RABBITMQ_PID_FILE",
        };
        let text = std::fs::read_to_string(&self.settings[file]).unwrap();
        let pid = text.lines().next().unwrap().trim();
        let killed = Command::new("kill").args(["-KILL", pid]).status().unwrap();
        assert!(killed.success(), "{which:?} could not be killed");
    }

    /// Ends one in good order.
    pub fn stop(&self, which: Which) {
        run(self.name, &["stop", which.name()]);
    }

    /// Brings one back: it answers now.
    pub fn bring_back(&self, which: Which) {
        run(self.name, &["start", which.name()]);
    }

    /// Asks RabbitMQ's own tool to do something.
    pub fn rabbitmqctl(&self, arguments: &[&str]) {
        run(self.name, &[&["rabbitmqctl"], arguments].concat());
    }

    /// Has PostgreSQL's own client do something.
    pub fn psql(&self, statement: &str) {
        run(self.name, &["psql", "-c", statement]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let stopped = command(self.name, &["stop", "--wipe"]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the stack in {} stays behind", directory(self.name));
        }
    }
}

fn directory(name: &str) -> String {
    format!("{DIRECTORY}{name}")
}

fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/stack"));
    command.args(arguments).env("ORDERMILL_STACK_DIR", directory(name));
    command.env_remove("ORDERMILL_STACK_MANAGEMENT");
    command
}

fn run(name: &str, arguments: &[&str]) {
    let Output { status, stdout, stderr } = command(name, arguments).output().unwrap();
    let said = [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(status.success(), "scripts/stack {arguments:?}: {}", said.concat());
}
