//! The server that is measured: one that runs already, or one that is started as a process of its own, so
//! that its CPU time and memory are its own.

use super::args::{ServerArgs, Watch};
use super::stack;
use crate::server_binary::server_binary;
use anyhow::{Context, bail};
use ordermill::config::{Config, Infrastructure};
use ordermill::waiting;
use ordermill_domain::ids::ServiceName;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a start may take beside the time that it waits for its databases and the broker.
const START_MARGIN: Duration = Duration::from_secs(30);
/// The directories where temporary data may be, the first of which is on a disk.
const CANDIDATES: [&str; 2] = ["/var/tmp", "."];
/// File systems that live in memory: flushing costs nothing there.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// Where a run takes place.
pub struct Place {
    /// The servers.
    pub urls: Vec<String>,
    /// What stands behind them, in words.
    pub told: String,
    /// PostgreSQL, where it is known.
    pub database_url: Option<String>,
    /// Whether there is a broker behind them, as far as the settings say.
    pub has_broker: bool,
    /// Whether its management plugin is on; none where nobody knows.
    pub management: Option<bool>,
    /// Processes whose CPU time is told; `server` is the server's.
    pub watched: Vec<Watch>,
    /// The embedded databases of a server that was started.
    pub data: Option<PathBuf>,
    _server: Option<Server>,
    _directory: Option<TempDir>,
}

impl Place {
    /// Finds or starts the server.
    pub async fn open(args: &ServerArgs, config: &Config) -> anyhow::Result<Self> {
        let mut place = Self {
            urls: args.url.clone(),
            told: "a running server".to_owned(),
            database_url: None,
            has_broker: false,
            management: None,
            watched: args.watch_pid.clone(),
            data: None,
            _server: None,
            _directory: None,
        };
        if let Infrastructure::Servers(servers) = &config.infrastructure {
            let database = servers.database(ServiceName::Order);
            place.database_url = database.map(|url| url.expose().to_owned());
            place.has_broker = true;
            place.management = stack::has_management(servers.amqp.expose()).await;
            let found = stack::processes(servers.amqp.expose());
            let is_reported = |name: &str| args.watch_pid.iter().any(|watch| watch.name == name);
            place.watched.extend(found.into_iter().filter(|found| !is_reported(&found.name)));
            place.told = "PostgreSQL and RabbitMQ".to_owned();
        }
        if place.urls.is_empty() {
            place.start(args, config).await?;
        }
        Ok(place)
    }

    /// Its process id, where it is known.
    pub fn server_pid(&self) -> Option<u32> {
        self.watched.iter().find(|watch| watch.name == SERVER).map(|watch| watch.pid)
    }

    async fn start(&mut self, args: &ServerArgs, config: &Config) -> anyhow::Result<()> {
        let mut command = Command::new(server_binary()?);
        command.arg("serve").env("ORDERMILL_LISTEN", "127.0.0.1:0");
        command.env("ORDERMILL_DISPATCH_AFTER", "off");
        if std::env::var_os("ORDERMILL_LOG").is_none() {
            command.env("ORDERMILL_LOG", "warn");
        }
        if config.infrastructure == Infrastructure::Embedded {
            let directory = temporary(args.temp_dir.as_deref())?;
            let data = directory.path().to_owned();
            command.env("ORDERMILL_DATA_DIR", &data);
            let file_system = file_system(&data).unwrap_or_else(|| "unknown".to_owned());
            self.told = format!("embedded, in {} ({file_system})", data.display());
            (self.data, self._directory) = (Some(data), Some(directory));
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut server = Server(spawned.context("starting the server failed")?);
        let limit = config.startup_timeout + START_MARGIN;
        let listens = server.listens_at(limit);
        let listens =
            waiting::report_waiting(|| "the measured server to start".to_owned(), listens);
        self.urls.push(listens.await?);
        self.watched.push(Watch { name: SERVER.to_owned(), pid: server.0.id() });
        self._server = Some(server);
        Ok(())
    }
}

/// What the server is called among the watched processes.
const SERVER: &str = "server";

/// A server of ours. It ends with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself. What it has committed is kept, however it ends.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Where it says that it listens. What else it says is read and dropped, so that it never waits for us.
    async fn listens_at(&mut self, limit: Duration) -> anyhow::Result<String> {
        let output = self.0.stdout.take().context("the server's output")?;
        let (said, heard) = oneshot::channel();
        std::thread::spawn(move || {
            let mut said = Some(said);
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let does = line.strip_prefix("Ordermill ");
                if let Some((_, url)) = does.and_then(|does| does.rsplit_once(" at http://"))
                    && let Some(said) = said.take()
                {
                    // Nobody listens any more when the start took too long.
                    let _ = said.send(format!("http://{}", url.trim_end_matches("/orders")));
                }
            }
        });
        match timeout(limit, heard).await {
            Ok(url) => url.context("the server exited before it accepted orders"),
            Err(_) => bail!("the server did not start within {} s", limit.as_secs()),
        }
    }
}

/// A directory that is gone afterwards: where it is asked for, or the usual place unless that is memory.
fn temporary(asked: Option<&Path>) -> anyhow::Result<TempDir> {
    let usual = std::env::temp_dir();
    let on_disk = |path: &Path| match file_system(path) {
        Some(name) => !IN_MEMORY.contains(&name.as_str()),
        None => true,
    };
    let candidates = [usual.as_path()].into_iter().chain(CANDIDATES.map(Path::new));
    let parent = asked.or_else(|| candidates.into_iter().find(|path| on_disk(path)));
    let parent = parent.unwrap_or(&usual);
    let made = tempfile::Builder::new().prefix("ordermill-bench-").tempdir_in(parent);
    made.with_context(|| format!("a temporary data directory in {}", parent.display()))
}

/// The type of the file system that a path is on, by the longest mount point above it.
fn file_system(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounted.filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_from_disks() {
        assert_eq!(file_system(Path::new("/proc")).as_deref(), Some("proc"));
        assert!(file_system(Path::new("/nowhere/at/all")).is_none());
        let directory = temporary(None).unwrap();
        let name = file_system(directory.path()).unwrap();
        assert!(!IN_MEMORY.contains(&name.as_str()), "{name}");
    }
}
