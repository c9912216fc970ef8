//! Where a system keeps what it must not lose: a data directory, or a database and a vhost on servers.
//! Made empty, and gone when nobody holds it any more.

use super::management::Management;
use super::wait::wait;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tempfile::TempDir;

/// Numbers the databases and vhosts of this process.
static NUMBER: AtomicU32 = AtomicU32::new(0);
/// So begins the name of each of them; the process and the number follow.
const PREFIX: &str = "ordermill_test_";
/// What runs that were broken off have left behind is cleared away once.
static CLEARED: Once = Once::new();

/// An infrastructure of a test's own.
pub enum Place {
    /// A data directory.
    Embedded(TempDir),
    /// A database and a vhost.
    Servers(Box<OnServers>),
}

impl Place {
    /// An empty data directory.
    pub fn embedded() -> Self {
        Self::Embedded(tempfile::Builder::new().prefix("ordermill-test-").tempdir().unwrap())
    }

    /// A database and a vhost of their own on these servers.
    pub fn on(servers: &Servers) -> Self {
        Self::Servers(Box::new(OnServers::create(servers)))
    }

    /// Where the embedded databases are, or will be.
    pub fn data(&self) -> PathBuf {
        match self {
            Self::Embedded(directory) => directory.path().join("data"),
            Self::Servers(_) => panic!("the data are on servers"),
        }
    }

    /// The settings that lead there.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Embedded(_) => {
                vec![("ORDERMILL_DATA_DIR", self.data().to_str().unwrap().to_owned())]
            }
            Self::Servers(place) => vec![
                ("DATABASE_URL", place.database_url.clone()),
                ("AMQP_URL", place.amqp_url.clone()),
            ],
        }
    }
}

/// A PostgreSQL, and a RabbitMQ with its management API.
#[derive(Clone, Debug)]
pub struct Servers {
    /// With a user who may create databases.
    pub database_url: String,
    /// With a user who may do everything.
    pub amqp_url: String,
    /// The same user's.
    pub management_url: String,
}

impl Servers {
    /// Those that `scripts/test` has started.
    pub fn of_the_tests() -> Self {
        let url = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!(
                    "{name} is not set: run this test by ./scripts/test, which starts the servers"
                )
            })
        };
        Self {
            database_url: url("ORDERMILL_TEST_DATABASE_URL"),
            amqp_url: url("ORDERMILL_TEST_AMQP_URL"),
            management_url: url("ORDERMILL_TEST_MANAGEMENT_URL"),
        }
    }
}

/// A database and a vhost that bear the same name.
pub struct OnServers {
    servers: Servers,
    name: String,
    pub database_url: String,
    pub amqp_url: String,
    /// The management API of the vhost.
    pub management: Management,
}

impl OnServers {
    fn create(servers: &Servers) -> Self {
        let number = NUMBER.fetch_add(1, Relaxed);
        CLEARED.call_once(|| wait(clear_away(servers)));
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        let management = Management::new(&servers.management_url, &name);
        wait(async {
            management.create_vhost().await;
            statement(&servers.database_url, &format!("CREATE DATABASE {name}")).await.unwrap();
        });
        Self {
            database_url: with_path(&servers.database_url, &name),
            amqp_url: with_path(&servers.amqp_url, &name),
            servers: servers.clone(),
            management,
            name,
        }
    }
}

impl Drop for OnServers {
    fn drop(&mut self) {
        wait(async {
            self.management.delete_vhost().await;
            drop_database(&self.servers, &self.name).await;
        });
    }
}

/// Drops the databases and vhosts of processes that are no more.
async fn clear_away(servers: &Servers) {
    for vhost in Management::new(&servers.management_url, "").vhosts().await {
        if is_left_behind(&vhost) {
            Management::new(&servers.management_url, &vhost).delete_vhost().await;
        }
    }
    let mut connection = PgConnection::connect(&servers.database_url).await.unwrap();
    let databases = sqlx::query_scalar("SELECT datname::text FROM pg_database");
    let databases: Vec<String> = databases.fetch_all(&mut connection).await.unwrap();
    for database in databases.iter().filter(|name| is_left_behind(name)) {
        drop_database(servers, database).await;
    }
}

fn is_left_behind(name: &str) -> bool {
    let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
    process.is_some_and(|pid| !PathBuf::from("/proc").join(pid).exists())
}

async fn drop_database(servers: &Servers, name: &str) {
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    if let Err(error) = statement(&servers.database_url, &drop).await {
        eprintln!("{name} stays behind: {error}");
    }
}

async fn statement(url: &str, text: &str) -> Result<(), sqlx::Error> {
    let mut database = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut database).await?;
    database.close().await
}

/// The URL with another database, or another vhost.
pub fn with_path(url: &str, path: &str) -> String {
    let mut url = reqwest::Url::parse(url).unwrap();
    url.set_path(&format!("/{path}"));
    url.into()
}
