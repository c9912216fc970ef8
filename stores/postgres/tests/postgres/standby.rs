//! A hot standby of the tests' server, made by PostgreSQL's own tools, which are on the same machine.

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// It ends, with its data, when this is dropped.
pub struct Standby {
    pub port: u16,
    process: Child,
    data: PathBuf,
}

/// True where servers refuse to run as this user.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// As root, PostgreSQL runs as the user postgres.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

impl Standby {
    /// Copies the server and follows it.
    pub async fn of(server: &PgConnectOptions) -> Self {
        let mut conn = server.connect().await.unwrap();
        let binaries = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
        let binaries: String = sqlx::query_scalar(binaries).fetch_one(&mut conn).await.unwrap();
        let binaries = PathBuf::from(binaries);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let name = format!("ordermill-standby-{}-{port}", std::process::id());
        let data = PathBuf::from("/var/tmp").join(name);
        // The driver's own parameters are none that PostgreSQL's tools know.
        let mut url = server.to_url_lossy();
        url.set_query(None);
        let mut copy = command(&binaries.join("pg_basebackup"));
        copy.arg("-d").arg(url.as_str()).arg("-D").arg(&data);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        let copied = copy.current_dir("/").output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let mut start = command(&binaries.join("postgres"));
        start.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        {
            start.arg("-c").arg(setting);
        }
        start.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let standby = Self { port, process: start.spawn().unwrap(), data };
        let there = server.clone().host("127.0.0.1").port(port);
        let begun = Instant::now();
        while there.connect().await.is_err() {
            assert!(begun.elapsed() < START_LIMIT, "the standby does not answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        standby
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        // Its sessions end at once by this signal, and with them its children.
        let _ = Command::new("kill").arg("-QUIT").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
