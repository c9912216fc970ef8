//! Opening a service's schema: made where it is missing, brought up to date, its sessions set up.

use super::Database;
use super::lease::Writer;
use super::open_error::{OpenError, Place};
use super::readers::Readers;
use super::session::{Plan, Role, Session};
use crate::error::Error;
use ordermill_actors::faults::{self, Point};
use ordermill_actors::metrics::DatabaseMetrics;
use sqlx::migrate::{Migrate as _, MigrateError, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How long a server may take to accept a session.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the making of a schema is tried: another process may be making it at the same moment.
const SCHEMA_TRIES: u32 = 5;

/// What an address begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The table of migrations that were applied.
const APPLIED: &str = "_sqlx_migrations";
/// The state of a query on a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";

/// What becomes of a schema that is missing, or lacks migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// It is made and brought up to date.
    Apply,
    /// It is refused.
    Refuse,
}

static COMMON: Migrator = sqlx::migrate!("../../migrations/postgres/common");

impl Database {
    /// Opens a schema in the database that a `postgres://` URL names, makes it where it is missing,
    /// and brings its tables up to date: the common ones (versions 201 to 299), then the service's own
    /// (from 301 on). Any number of processes may do so at the same time.
    ///
    /// `owner` is this process's number among all that share the database: drawn at random, the same
    /// for all services in it.
    pub async fn open(
        url: &str,
        schema: &'static str,
        own: &Migrator,
        owner: i64,
    ) -> Result<Self, OpenError> {
        Self::open_with(url, schema, own, owner, Migrate::Apply).await
    }

    /// The same, but a schema that is missing or behind may be refused.
    pub async fn open_with(
        url: &str,
        schema: &'static str,
        own: &Migrator,
        owner: i64,
        migrate: Migrate,
    ) -> Result<Self, OpenError> {
        let options = options_of(url)?;
        let place = Place::of(&options, schema);
        let plan = |role| Plan::new(&options, schema, role);
        let all: Vec<_> = COMMON.iter().chain(own.iter()).cloned().collect();
        let sessions = (plan(Role::Migrating), plan(Role::Writing));
        let mut writing = open(sessions, all, migrate, owner, &place).await?;
        let identity = writing.reads_identity().await.map_err(|error| place.refusal(error))?;
        let writer = Writer::open(plan(Role::Writing), writing, owner).await;
        let writer = Arc::new(writer.map_err(|error| place.refusal(error))?);
        let readers = Arc::new(Readers::new(plan(Role::Reading)));
        Ok(Self { writer, readers, owner, identity, metrics: DatabaseMetrics::default() })
    }
}

/// Opens a session that migrates and one that writes side by side, which shows whether there is a
/// pooler between that cannot be used; migrates; the session that writes.
async fn open(
    (migrating, writing): (Plan, Plan),
    all: Vec<Migration>,
    migrate: Migrate,
    owner: i64,
    place: &Place,
) -> Result<Session, OpenError> {
    let refusal = |error| place.refusal(error);
    let mut migrator = migrating.open().await.map_err(refusal)?;
    let mut writer = writing.open().await.map_err(refusal)?;
    migrator.is_apart_from(&mut writer).await.map_err(refusal)?;
    migrator.takes_lock_of(owner).await.map_err(refusal)?;
    let served_by = migrator.backend;
    match migrate {
        Migrate::Apply => migrate_all(migrator, place, all).await?,
        Migrate::Refuse => verify(migrator, place, &all).await?,
    }
    writing.finds_schema(&mut writer).await.map_err(refusal)?;
    writer.sees_released(owner, served_by).await.map_err(refusal)?;
    Ok(writer)
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
async fn migrate_all(
    session: Session,
    place: &Place,
    all: Vec<Migration>,
) -> Result<(), OpenError> {
    faults::passes(Point::Unmigrated);
    apply(session, place, &Migrator::with_migrations(all)).await?;
    faults::passes(Point::Migrated);
    Ok(())
}

async fn apply(session: Session, place: &Place, migrations: &Migrator) -> Result<(), OpenError> {
    let mut conn = session.conn;
    make_schema(&mut conn, place.schema).await.map_err(|error| place.refusal(error))?;
    let done = migrations.run_direct(None, &mut conn, false).await;
    done.map_err(|source| place.migration(source))?;
    let _ = conn.close().await;
    Ok(())
}

/// Verifies that the schema has every migration, and no other.
async fn verify(session: Session, place: &Place, all: &[Migration]) -> Result<(), OpenError> {
    let mut conn = session.conn;
    let applied = match conn.list_applied_migrations(APPLIED).await {
        // Where the schema or the table is missing, nothing was applied.
        Err(MigrateError::Execute(sqlx::Error::Database(error)))
            if error.code().as_deref() == Some(UNDEFINED_TABLE) =>
        {
            Vec::new()
        }
        listed => listed.map_err(|error| place.migration(error))?,
    };
    let _ = conn.close().await;
    for done in &applied {
        let version = done.version;
        match all.iter().find(|known| known.version == version) {
            None => return Err(place.migration(MigrateError::VersionMissing(version))),
            Some(known) if known.checksum != done.checksum => {
                return Err(place.migration(MigrateError::VersionMismatch(version)));
            }
            Some(_) => {}
        }
    }
    let is_missing = |known: &&Migration| applied.iter().all(|done| done.version != known.version);
    match all.iter().find(is_missing) {
        Some(Migration { version, .. }) => {
            Err(OpenError::Behind { place: place.clone(), version: *version })
        }
        None => Ok(()),
    }
}

/// `IF NOT EXISTS` does not keep two who look at the same moment from both not finding it. It is not
/// said at all where the schema is there: then nobody needs the right to make one.
async fn make_schema(conn: &mut PgConnection, schema: &'static str) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        if has_schema(conn, schema).await? {
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

async fn has_schema(conn: &mut PgConnection, schema: &'static str) -> Result<bool, Error> {
    let there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "there!""#,
        schema
    );
    Ok(there.fetch_one(conn).await?)
}

/// A schema that is asked now and then: a session for each operation, no outbox, no owner.
#[derive(Clone, Debug)]
pub(crate) struct QuietSchema {
    options: PgConnectOptions,
    schema: &'static str,
    migrations: &'static Migrator,
    /// Whether this process has brought it up to date.
    is_current: Arc<AtomicBool>,
}

impl QuietSchema {
    /// The schema in the database that a `postgres://` URL names. Nothing is opened or made yet.
    pub(crate) fn new(
        url: &str,
        schema: &'static str,
        migrations: &'static Migrator,
    ) -> Result<Self, OpenError> {
        Ok(Self { options: options_of(url)?, schema, migrations, is_current: Arc::default() })
    }

    /// A session on the schema, brought up to date. Where it is missing it is made; or there is no session, if it is
    /// not to be made.
    pub(crate) async fn session(&self, make: bool) -> Result<Option<PgConnection>, OpenError> {
        let place = Place::of(&self.options, self.schema);
        let refusal = |error| place.refusal(error);
        let open =
            async |role| Plan::new(&self.options, self.schema, role).open().await.map_err(refusal);
        if !self.is_current.load(Relaxed) {
            let mut session = open(Role::Migrating).await?;
            if !make && !has_schema(&mut session.conn, self.schema).await.map_err(refusal)? {
                let _ = session.conn.close().await;
                return Ok(None);
            }
            apply(session, &place, self.migrations).await?;
            self.is_current.store(true, Relaxed);
        }
        Ok(Some(open(Role::Writing).await?.conn))
    }
}
