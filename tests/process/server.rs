//! The binary as a child process.

use super::place::Place;
use super::shop::Shop;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a start may take: migrations on a busy machine, in a debug build, and a hundred queues that are
/// new on a disk that others keep busy.
const START_LIMIT: Duration = Duration::from_secs(240);
/// How often it is looked whether the process has ended.
const POLL_EVERY: Duration = Duration::from_millis(10);
/// Lines of the log that a failed test shows.
const LOG_SHOWN: usize = 60;
/// Variables that start so are the outer environment's and none of the test's business, …
const OURS: [&str; 7] =
    ["ORDERMILL_", "PAYMENT_", "MIDTRANS_", "SHIPPING_", "DATABASE_", "AMQP_", "OTEL_"];
/// … nor are those that end so.
const OUR_URLS: &str = "_DATABASE_URL";

/// The binary without any setting. `ORDERMILL_TEST_BINARY` names another than Cargo has just built: a
/// release build, or an older one.
pub fn bare() -> Command {
    let built = env!("CARGO_BIN_EXE_ordermill").into();
    without_settings(&std::env::var_os("ORDERMILL_TEST_BINARY").unwrap_or(built))
}

/// `ordermill-lab` without any setting. It runs the `ordermill` that Cargo has built beside it.
pub fn bare_lab() -> Command {
    let lab = Path::new(env!("CARGO_BIN_EXE_ordermill")).with_file_name("ordermill-lab");
    assert!(lab.is_file(), "{} is missing: cargo build -p ordermill-lab", lab.display());
    without_settings(lab.as_os_str())
}

fn without_settings(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OURS.iter().any(|prefix| text.starts_with(prefix)) || text.ends_with(OUR_URLS) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A process that has ended by itself.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs the command to its end; one that does not end is killed.
    pub fn of(command: &mut Command) -> Self {
        Self::within(START_LIMIT, command)
    }

    /// The same where it may take longer.
    pub fn within(limit: Duration, command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let outputs = [
            read_all(Box::new(child.stdout.take().unwrap())),
            read_all(Box::new(child.stderr.take().unwrap())),
        ];
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if begun.elapsed() > limit => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
                None => std::thread::sleep(POLL_EVERY),
            }
        };
        let [stdout, stderr] = outputs.map(|output| output.join().unwrap());
        assert!(status.is_some(), "it should have ended, but runs on:\n{stdout}\n{stderr}");
        Self { code: status.and_then(|status| status.code()), stdout, stderr }
    }
}

fn read_all(mut from: Box<dyn Read + Send>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Reads until the process closes the stream; tells of the line that names the URL.
fn keep_reading(
    from: impl Read + Send + 'static,
    log: Arc<Mutex<Vec<String>>>,
    mut said: Option<Sender<String>>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let does = line.strip_prefix("Ordermill ");
            if let Some((_, url)) = does.and_then(|does| does.rsplit_once(" at http://"))
                && let Some(said) = said.take()
            {
                let _ = said.send(format!("http://{}", url.trim_end_matches("/orders")));
            }
            log.lock().unwrap().push(line);
        }
    });
}

/// A running server. It dies with this value.
pub struct Server {
    child: Child,
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
    /// Its URL, once it serves.
    hears: Receiver<String>,
    /// Actors of it are told to panic.
    panics: bool,
    /// Stays for as long as the process does.
    _place: Arc<Place>,
}

impl Server {
    /// Starts the process, which is told to listen there.
    pub fn launch(mut command: Command, listen: &str, place: Arc<Place>) -> Self {
        let panics = command.get_envs().any(|(name, _)| name == "ORDERMILL_PANIC");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (said, hears) = mpsc::channel();
        keep_reading(child.stdout.take().unwrap(), log.clone(), Some(said));
        keep_reading(child.stderr.take().unwrap(), log.clone(), None);
        Self { child, url: format!("http://{listen}"), log, hears, panics, _place: place }
    }

    /// Waits until it serves.
    pub fn serves(&mut self) {
        match self.hears.recv_timeout(START_LIMIT) {
            Ok(url) => self.url = url,
            Err(error) => panic!("the server does not start: {error}"),
        }
    }

    /// A customer of this server.
    pub fn shop(&self) -> Shop {
        Shop::at(&self.url)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had resident so far, in MiB.
    pub fn memory_peak_mib(&self) -> u64 {
        self.memory_mib("VmHWM")
    }

    /// The memory that it has resident now, in MiB.
    pub fn memory_now_mib(&self) -> u64 {
        self.memory_mib("VmRSS")
    }

    fn memory_mib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Ends it as a power cut would.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.assert_sound();
    }

    /// Sends a signal, as in `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap();
        assert!(status.success(), "the signal {name} could not be sent");
    }

    /// Waits for its end.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.assert_sound();
                return status;
            }
            assert!(begun.elapsed() < within, "it has not ended within {within:?}");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Asks it to end in good order, which it must.
    pub async fn terminate(mut self) {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(25)).await;
        assert_eq!(status.code(), Some(0), "the end was not in good order");
    }

    fn assert_sound(&self) {
        assert!(self.panics || !self.log().contains("panicked at"), "something has panicked");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let skipped = log.len().saturating_sub(LOG_SHOWN);
            eprintln!("--- the server's log, but its first {skipped} lines");
            log.iter().skip(skipped).for_each(|line| eprintln!("{line}"));
            eprintln!("---");
        }
    }
}

/// Whether this user may write everywhere, whatever the permissions say.
pub fn may_write_anywhere(directory: &Path) -> bool {
    std::fs::write(directory.join("probe"), "").is_ok()
}
