//! Opening a service's schema: made where it is missing, brought up to date, its sessions set up.

use super::Database;
use super::lease::Writer;
use super::open_error::{OpenError, Place};
use super::readers::Readers;
use crate::error::Error;
use ordermill_actors::faults::{self, Point};
use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take to accept a session.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the making of a schema is tried: another process may be making it at the same moment.
const SCHEMA_TRIES: u32 = 5;

/// What an address begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What PostgreSQL is told of a session that writes.
const WRITING: [(&str, &str); 8] = [
    // Who has waited for a lock reads the newest row, whatever the server's own default is.
    ("default_transaction_isolation", "read committed"),
    // A process that is stopped in the middle of a batch must not hold its locks for ever.
    ("idle_in_transaction_session_timeout", "10s"),
    // Longer than that: who waits for such a process gets its turn.
    ("statement_timeout", "20s"),
    // A batch finds its rows by key. A plan that was made while a table was small, or that counts on
    // few keys, must not read all of it for them.
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("default_transaction_read_only", "off"),
];
/// The same of a session that reads.
const READING: [(&str, &str); 3] =
    [("statement_timeout", "20s"), ("jit", "off"), ("default_transaction_read_only", "on")];
/// The same of the one that migrates. It waits so long for others who do the same, and is not to be
/// hurried when its turn has come.
const MIGRATING: [(&str, &str); 2] = [("lock_timeout", "30s"), ("statement_timeout", "0")];

static COMMON: Migrator = sqlx::migrate!("../../migrations/postgres/common");

impl Database {
    /// Opens a schema in the database that a `postgres://` URL names, makes it where it is missing,
    /// and brings its tables up to date: the common ones (versions 1 to 99), then the service's own
    /// (from 101 on). Any number of processes may do so at the same time.
    ///
    /// `owner` is this process's number among all that share the database: drawn at random, the same
    /// for all services in it.
    pub async fn open(
        url: &str,
        schema: &'static str,
        own: &Migrator,
        owner: i64,
    ) -> Result<Self, OpenError> {
        let options = options_of(url)?;
        let place = Place::of(&options, schema);
        let session = |settings: &[(&str, &str)]| {
            options
                .clone()
                .application_name(&format!("ordermill {schema}"))
                .options([("search_path", schema)])
                .options(settings.iter().copied())
        };
        migrate(session(&MIGRATING), schema, own, &place).await?;
        let writer = Writer::open(session(&WRITING), owner).await;
        let writer = Arc::new(writer.map_err(|error| place.refusal(error))?);
        let readers = Arc::new(Readers::new(session(&READING)));
        Ok(Self { writer, readers, owner })
    }
}

/// The driver takes any scheme, and what it names for a PostgreSQL.
fn options_of(url: &str) -> Result<PgConnectOptions, OpenError> {
    if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
        let cause = "it does not begin with postgres://".to_owned();
        return Err(OpenError::Address { cause });
    }
    let options = PgConnectOptions::from_str(url);
    // The driver's words may quote a part of it.
    options.map_err(|_| OpenError::Address { cause: "a part of it is malformed".to_owned() })
}

/// On a session of its own, whose end also ends what a migration that failed has left locked.
async fn migrate(
    options: PgConnectOptions,
    schema: &'static str,
    own: &Migrator,
    place: &Place,
) -> Result<(), OpenError> {
    let late = || Error::late("connecting", CONNECT_TIMEOUT);
    let connected = match timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connected) => connected.map_err(Error::from),
        Err(_) => Err(late()),
    };
    let mut conn = connected.map_err(|error| place.refusal(error))?;
    make_schema(&mut conn, schema).await.map_err(|error| place.refusal(error))?;
    faults::passes(Point::Unmigrated);
    let all: Vec<Migration> = COMMON.iter().chain(own.iter()).cloned().collect();
    let done = Migrator::with_migrations(all).run_direct(None, &mut conn, false).await;
    done.map_err(|source| place.migration(source))?;
    faults::passes(Point::Migrated);
    let _ = conn.close().await;
    Ok(())
}

/// `IF NOT EXISTS` does not keep two who look at the same moment from both not finding it. It is not
/// said at all where the schema is there: then nobody needs the right to make one.
async fn make_schema(conn: &mut PgConnection, schema: &'static str) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let there = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "there!""#,
            schema
        )
        .fetch_one(&mut *conn)
        .await?;
        if there {
            return Ok(());
        }
        tries += 1;
        // The name is this crate's own, never a user's.
        let statement = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""));
        match sqlx::raw_sql(statement).execute(&mut *conn).await {
            Err(sqlx::Error::Database(error))
                if error.is_unique_violation() && tries < SCHEMA_TRIES => {}
            made => {
                made?;
            }
        }
    }
}
