//! Connection poolers: those that work are shown to, all others are refused with what to do.

use crate::backend::next_owner;
use crate::server::Scratch;
use crate::standby::is_root;
use ordermill_actors::ports::{Outbox, Store};
use ordermill_actors::shipping::ShipmentReads;
use ordermill_contract::outbox::saying;
use ordermill_contract::values::order;
use ordermill_postgres::shipping::{MIGRATIONS, SCHEMA, ShippingDatabase};
use ordermill_postgres::{Database, OpenError};
use sqlx::ConnectOptions;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a PgBouncer may take to listen.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long rows of a dead process may wait to be taken over.
const ADOPTED_WITHIN: Duration = Duration::from_secs(10);

/// A PgBouncer of the test's own in front of the test's server. It ends with this value.
struct Pooler {
    process: Child,
    config: PathBuf,
    address: SocketAddr,
}

fn program() -> PathBuf {
    let debian = Path::new("/usr/sbin/pgbouncer");
    if debian.exists() { debian.to_owned() } else { "pgbouncer".into() }
}

impl Pooler {
    /// One with these settings.
    fn start(scratch: &Scratch, settings: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = scratch.options().to_url_lossy();
        let config = std::env::temp_dir().join(format!(
            "ordermill-pgbouncer-{}-{}.ini",
            std::process::id(),
            free.port()
        ));
        let text = format!(
            "[databases]\n* = host={} port={} user={} password={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = any\nserver_round_robin = 0\n{settings}\n",
            url.host_str().unwrap(),
            url.port().unwrap(),
            url.username(),
            url.password().unwrap(),
            free.port(),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(program());
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        command.arg("-q").arg(&config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("pgbouncer is installed by ./scripts/test");
        let begun = Instant::now();
        while TcpStream::connect(free).is_err() {
            assert!(begun.elapsed() < START_LIMIT, "pgbouncer does not listen; see {config:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, config, address: free }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}

async fn open(url: &str, owner: i64) -> Result<Database, OpenError> {
    Database::open(url, SCHEMA, &MIGRATIONS, owner).await
}

/// What a pooler that cannot be used is answered with: what is wrong, and what to do. Waiting is no use.
async fn is_refused(settings: &str, words: &[&str]) {
    let scratch = Scratch::new().await;
    let pooler = Pooler::start(&scratch, settings);
    for _ in 0..2 {
        let error = open(&scratch.url_at(pooler.address), next_owner()).await.unwrap_err();
        let text = error.to_string();
        assert!(!error.may_pass(), "{settings}: {text}");
        for word in words {
            assert!(text.contains(word), "{settings}: {word:?} is not in {text:?}");
        }
    }
}

const ADVICE: [&str; 3] = ["pooler", "pool_mode = session", "connect to PostgreSQL directly"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_pooler_that_lends_out_processes_for_a_transaction_is_refused() {
    for mode in ["transaction", "statement"] {
        for ignored in ["", "ignore_startup_parameters = extra_float_digits,options"] {
            is_refused(&format!("pool_mode = {mode}\n{ignored}"), &ADVICE).await;
        }
    }
    is_refused("pool_mode = transaction\nserver_round_robin = 1\nmin_pool_size = 3", &ADVICE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_pooler_that_does_not_reset_sessions_is_refused() {
    is_refused("pool_mode = session\nserver_reset_query =", &ADVICE).await;
    is_refused("pool_mode = session\nserver_reset_query = RESET ALL", &ADVICE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_startup_parameter_that_is_refused_is_not_waited_for() {
    let scratch = Scratch::new().await;
    let pooler = Pooler::start(&scratch, "pool_mode = session");
    let url = format!("{}&options=-c%20geqo%3Doff", scratch.url_at(pooler.address));
    let error = open(&url, next_owner()).await.unwrap_err();
    let text = error.to_string();
    assert!(!error.may_pass() && text.contains("startup parameter"), "{text}");
    assert!(text.contains("PGOPTIONS"), "{text}");
}

/// Everything works by a pooler in session mode, and a process that is gone counts as dead: its locks go
/// with its session, though the server process lives on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_pooler_in_session_mode_works() {
    let scratch = Scratch::new().await;
    let pooler = Pooler::start(&scratch, "pool_mode = session");
    let url = scratch.url_at(pooler.address);
    let (dead, alive) = (next_owner(), next_owner());
    let first = open(&url, dead).await.unwrap();
    first.commit(&saying(0..3)).await.unwrap();
    let second = open(&url, alive).await.unwrap();
    assert_eq!(second.adopt(10).await.unwrap(), 0, "its owner lives");
    // Its connections are dropped, as those of a killed process are.
    drop(first);
    let begun = Instant::now();
    while second.adopt(10).await.unwrap() == 0 {
        assert!(begun.elapsed() < ADOPTED_WITHIN, "the dead process's lock is still held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let reads = ShippingDatabase(second.clone());
    assert!(reads.shipment(order(1)).await.unwrap().is_some());
    // And again, on server processes that have served others before.
    for _ in 0..3 {
        let again = open(&url, next_owner()).await.unwrap();
        assert!(ShippingDatabase(again.clone()).shipment(order(2)).await.unwrap().is_some());
        again.close().await;
    }
}

/// PgBouncer takes the connection and lets its first statement wait: the start waits, and says for what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_pooler_without_a_session_left_is_waited_for() {
    let scratch = Scratch::new().await;
    for (settings, words) in [
        ("pool_mode = session\ndefault_pool_size = 1", "opening a session: no response"),
        ("pool_mode = session\nmax_client_conn = 1", "no more connections allowed"),
    ] {
        let pooler = Pooler::start(&scratch, settings);
        let error = open(&scratch.url_at(pooler.address), next_owner()).await.unwrap_err();
        assert!(error.may_pass() && error.to_string().contains(words), "{settings}: {error}");
    }
}
