//! Databases of a test's own on the server that the tests are given.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The variable that `scripts/test` sets: a PostgreSQL whose user may create databases.
const VARIABLE: &str = "ORDERMILL_TEST_DATABASE_URL";

/// How to reach the server; the database in it is only where one starts from.
pub fn server() -> PgConnectOptions {
    let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run ./scripts/test, which starts a PostgreSQL and sets it")
    });
    PgConnectOptions::from_str(&url).unwrap_or_else(|error| panic!("{VARIABLE}: {error}"))
}

/// A database that nobody else uses, empty at first, dropped when the test is over.
pub struct Scratch(String);

impl Scratch {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same, created with these options.
    pub async fn with(options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        let name = format!("ordermill_test_{pid}_{count}");
        let mut conn = server().connect().await.unwrap();
        // What an earlier process of this number has left is in nobody's use.
        run(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut conn, format!("CREATE DATABASE {name} {options}")).await;
        conn.close().await.unwrap();
        Self(name)
    }

    /// How to reach it.
    pub fn options(&self) -> PgConnectOptions {
        server().database(&self.0)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// The same, over another address.
    pub fn url_at(&self, address: SocketAddr) -> String {
        let options = self.options().host(&address.ip().to_string()).port(address.port());
        options.to_url_lossy().to_string()
    }

    /// A connection beside those of the stores, to look and to disturb.
    pub async fn connect(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }
}

impl Drop for Scratch {
    /// In a thread, because it must be done also where a test has failed.
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.0);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut conn = server().connect().await.unwrap();
                run(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        let _ = dropping.join();
    }
}

/// Runs a statement of the test's own making.
pub async fn run(conn: &mut PgConnection, statement: String) -> u64 {
    sqlx::query(AssertSqlSafe(statement)).execute(conn).await.unwrap().rows_affected()
}
