//! A session with the server: connected, set up, and verified before it is used.
//!
//! ```text
//! connect ─▶ set what the session needs ─▶ read it back, with facts about the server ─▶ verify
//! ```
//!
//! Nothing is asked for by startup parameters: connection poolers refuse or drop them. Settings are made
//! and read back by the simple protocol, which works through every pooler, so that one that cannot be
//! used is told apart from a server that is away.

use super::{lock_key, open::CONNECT_TIMEOUT};
use crate::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// The oldest PostgreSQL that is supported, as `server_version_num` has it.
const VERSION_MIN: i32 = 14_00_00;
/// What databases and sessions must use: every text that an order may hold can be stored.
const ENCODING: &str = "UTF8";

/// How often two sessions are asked which server process serves them. A pooler that shares processes
/// between sessions gives itself away at the first question, unless others use it at that moment.
const ROUNDS: u32 = 4;
/// How long a server may take to release the locks of a session that was closed.
const RELEASED_WITHIN: Duration = Duration::from_secs(5);
/// How often it is asked meanwhile.
const RELEASED_EVERY: Duration = Duration::from_millis(20);

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Brings the schema up to date.
    Migrating,
    /// Writes batches.
    Writing,
    /// Reads.
    Reading,
}

impl Role {
    /// What is set for it, beside the search path. The values are written as PostgreSQL shows them.
    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // It waits that long for others that migrate, and is not hurried once its turn has come.
            Self::Migrating => &[("lock_timeout", "30s"), ("statement_timeout", "0")],
            Self::Writing => &[
                // A batch that has waited for a lock reads the newest row, whatever the server's default is.
                ("default_transaction_isolation", "read committed"),
                // A process that is stopped in the middle of a batch must not hold its locks for ever.
                ("idle_in_transaction_session_timeout", "10s"),
                // Longer than that: a batch that waits for such a process gets its turn.
                ("statement_timeout", "20s"),
                // A batch finds its rows by key. A plan that was made while a table was small, or that
                // counts on few keys, must not read all of it for them.
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ],
            Self::Reading => &[
                ("statement_timeout", "20s"),
                ("jit", "off"),
                // A plan that is kept from when a table was small reads all of it for a row, once it has grown;
                // planning anew takes a tenth of a millisecond.
                ("plan_cache_mode", "force_custom_plan"),
                ("default_transaction_read_only", "on"),
            ],
        }
    }

    fn writes(self) -> bool {
        match self {
            Self::Migrating | Self::Writing => true,
            Self::Reading => false,
        }
    }
}

/// How sessions of one kind are opened.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    options: PgConnectOptions,
    schema: &'static str,
    role: Role,
}

/// A session that is fit for its role.
#[derive(Debug)]
pub(super) struct Session {
    pub conn: PgConnection,
    /// The server process behind it.
    pub backend: i32,
}

impl Plan {
    /// Sessions on this schema.
    pub fn new(options: &PgConnectOptions, schema: &'static str, role: Role) -> Self {
        let name = format!("ordermill {schema}");
        let options = options.clone().application_name(&name).extra_float_digits(None);
        Self { options, schema, role }
    }

    /// How it connects. The session is to be prepared afterwards.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Connects, sets up and verifies.
    pub async fn open(&self) -> Result<Session, Error> {
        let opening = async {
            let mut conn = self.options.connect().await?;
            let backend = self.prepare(&mut conn).await?;
            Ok(Session { conn, backend })
        };
        match timeout(CONNECT_TIMEOUT, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::late("opening a session", CONNECT_TIMEOUT)),
        }
    }

    /// Sets a new session up and verifies it; the server process behind it.
    pub async fn prepare(&self, conn: &mut PgConnection) -> Result<i32, Error> {
        let wanted = self.wanted();
        let set: Vec<_> = wanted
            .iter()
            .map(|(name, value)| format!("set_config('{name}', '{value}', false)"))
            .collect();
        simple(conn, format!("SELECT {}", set.join(", "))).await?;
        // Asked apart from that: in one message a pooler would answer both by the same server process.
        let shown: Vec<_> =
            wanted.iter().map(|(name, _)| format!(", current_setting('{name}')")).collect();
        let row = simple(conn, format!("{FACTS}{}", shown.concat())).await?;
        let facts = Facts::of(&row, wanted.len())?;
        facts.verify(self.role, &wanted)?;
        Ok(facts.backend)
    }

    /// Verifies that the session finds the tables of its schema, once the schema is there.
    pub async fn finds_schema(&self, session: &mut Session) -> Result<(), Error> {
        let row = simple(&mut session.conn, "SELECT current_schema()::text".to_owned()).await?;
        match row.try_get::<Option<String>, _>(0)? {
            Some(found) if found == self.schema => Ok(()),
            Some(_) | None => Err(Unfit::NoSchema { schema: self.schema }.into()),
        }
    }

    fn wanted(&self) -> Vec<(&'static str, &'static str)> {
        let settings = self.role.settings().iter().copied();
        std::iter::once(("search_path", self.schema)).chain(settings).collect()
    }
}

const FACTS: &str = "SELECT pg_backend_pid(), current_setting('server_version_num')::int,
    current_setting('server_version'), current_setting('server_encoding'),
    current_setting('client_encoding'), pg_is_in_recovery(), current_setting('transaction_read_only')";
/// How many those are.
const FACTS_COUNT: usize = 7;

const WAIT_FOR_DISK: &str = "SELECT set_config('synchronous_commit',
    CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

/// What a server says of itself and of a session.
#[derive(Clone, Debug)]
struct Facts {
    backend: i32,
    version_num: i32,
    version: String,
    server_encoding: String,
    client_encoding: String,
    in_recovery: bool,
    read_only: String,
    settings: Vec<String>,
}

impl Facts {
    fn of(row: &PgRow, settings: usize) -> Result<Self, sqlx::Error> {
        let setting = |index| row.try_get(FACTS_COUNT + index);
        Ok(Self {
            backend: row.try_get(0)?,
            version_num: row.try_get(1)?,
            version: row.try_get(2)?,
            server_encoding: row.try_get(3)?,
            client_encoding: row.try_get(4)?,
            in_recovery: row.try_get(5)?,
            read_only: row.try_get(6)?,
            settings: (0..settings).map(setting).collect::<Result<_, _>>()?,
        })
    }

    fn verify(&self, role: Role, wanted: &[(&'static str, &'static str)]) -> Result<(), Unfit> {
        if self.version_num < VERSION_MIN {
            return Err(Unfit::Version { version: self.version.clone() });
        }
        if self.server_encoding != ENCODING {
            return Err(Unfit::Encoding { encoding: self.server_encoding.clone() });
        }
        if role.writes() && self.in_recovery {
            return Err(Unfit::Standby);
        }
        if role.writes() && self.read_only != "off" {
            return Err(Unfit::ReadOnly);
        }
        let shown = self.settings.iter().map(String::as_str);
        let encoding = (("client_encoding", ENCODING), self.client_encoding.as_str());
        let settings = wanted.iter().copied().zip(shown).chain([encoding]);
        for ((name, expected), shown) in settings {
            if shown != expected {
                return Err(Unfit::Setting { name, expected, shown: shown.to_owned() });
            }
        }
        Ok(())
    }
}

/// Runs one statement by the simple protocol; its one row. The statement is this crate's own.
async fn simple(conn: &mut PgConnection, statement: String) -> Result<PgRow, sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(conn).await
}

impl Session {
    /// True when it answers, and the server process behind it is still the same.
    pub async fn is_alive(&mut self) -> bool {
        matches!(self.served_by().await, Ok(backend) if backend == self.backend)
    }

    async fn served_by(&mut self) -> Result<i32, Error> {
        Ok(simple(&mut self.conn, "SELECT pg_backend_pid()".to_owned()).await?.try_get(0)?)
    }

    /// Verifies that this session and another one have a server process each, which stays the same. With
    /// a pooler that lends processes out for a transaction, settings and locks are nobody's.
    pub async fn is_apart_from(&mut self, other: &mut Self) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let mine = [self.served_by().await?, self.served_by().await?];
            let others = [other.served_by().await?, other.served_by().await?];
            let same = mine == [self.backend; 2] && others == [other.backend; 2];
            if !same || self.backend == other.backend {
                return Err(Unfit::Shared.into());
            }
        }
        Ok(())
    }

    /// The identity that the schema was given when it was made.
    pub async fn reads_identity(&mut self) -> Result<Uuid, Error> {
        let identity = "SELECT identity FROM installation".to_owned();
        Ok(simple(&mut self.conn, identity).await?.try_get(0)?)
    }

    /// Has commits wait for the server's disk, where they would not.
    pub async fn waits_for_the_disk(&mut self) -> Result<(), Error> {
        simple(&mut self.conn, WAIT_FOR_DISK.to_owned()).await?;
        Ok(())
    }

    /// True while a server process is in a transaction. It may have gone on to serve another session of a
    /// pooler.
    pub async fn sees_in_transaction(&mut self, backend: i32) -> Result<bool, Error> {
        // Held by each transaction until everybody sees what it has written.
        let lock = format!(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'virtualxid' AND pid = {backend})"
        );
        Ok(simple(&mut self.conn, lock).await?.try_get(0)?)
    }

    /// Takes the lock of a process on its outbox rows.
    pub async fn takes_lock_of(&mut self, owner: i64) -> Result<(), Error> {
        let (high, low) = lock_key(owner);
        let lock = format!("SELECT pg_advisory_lock_shared({high}, {low})::text");
        simple(&mut self.conn, lock).await?;
        Ok(())
    }

    /// Waits until the server has released the owner's lock that a session held which is closed. With a
    /// pooler that keeps server processes without resetting them, a dead process would never count as
    /// dead.
    pub async fn sees_released(&mut self, owner: i64, closed: i32) -> Result<(), Error> {
        let (high, low) = lock_key(owner);
        let held = format!(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = {closed}
                AND classid::bigint = {} AND objid::bigint = {})",
            high.cast_unsigned(),
            low.cast_unsigned()
        );
        let deadline = Instant::now() + RELEASED_WITHIN;
        while simple(&mut self.conn, held.clone()).await?.try_get(0)? {
            if Instant::now() > deadline {
                return Err(Unfit::KeptSession.into());
            }
            sleep(RELEASED_EVERY).await;
        }
        Ok(())
    }
}

/// What to do about a pooler that does not work.
const POOLER: &str = "connect to PostgreSQL directly, or through a pooler in session mode that \
                      resets sessions (PgBouncer: pool_mode = session, server_reset_query = \
                      DISCARD ALL)";

/// Why a server, or a session with it, cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unfit {
    /// An older version than is supported.
    #[error("the server has version {version}; PostgreSQL {} or later is required", VERSION_MIN / 10_000)]
    Version {
        /// Its version.
        version: String,
    },
    /// The database cannot store every text.
    #[error(
        "the database has encoding {encoding}, which cannot store all characters; create one with \
         ENCODING 'UTF8' (and TEMPLATE template0)"
    )]
    Encoding {
        /// How it stores text.
        encoding: String,
    },
    /// A standby: it takes no writes until it is promoted.
    #[error(
        "the server is a standby and does not accept writes until it is promoted; connect to the primary"
    )]
    Standby,
    /// Somebody has made it read-only.
    #[error(
        "the server does not accept writes: transactions are read-only \
         (default_transaction_read_only of the server, the database or the user)"
    )]
    ReadOnly,
    /// A setting is not what it was set to.
    #[error(
        "the session's {name} is `{shown}`, but `{expected}` was set; a connection pooler drops \
         session settings: {POOLER}"
    )]
    Setting {
        /// Its name.
        name: &'static str,
        /// What was set.
        expected: &'static str,
        /// What the session shows.
        shown: String,
    },
    /// Sessions share server processes.
    #[error("a connection pooler shares its server processes between sessions: {POOLER}")]
    Shared,
    /// What a session held outlives it.
    #[error("a connection pooler keeps the locks and statements of closed sessions: {POOLER}")]
    KeptSession,
    /// A parameter of the address is not taken.
    #[error(
        "a startup parameter is rejected ({cause}); remove `options` from the URL and PGOPTIONS \
         from the environment, or {POOLER}"
    )]
    Parameter {
        /// What the server or the pooler says.
        cause: String,
    },
    /// The schema is there and cannot be used.
    #[error(
        "the user lacks permission for schema \"{schema}\"; grant USAGE on it, or make the user its owner"
    )]
    NoSchema {
        /// The schema.
        schema: &'static str,
    },
}

impl Unfit {
    /// True when it may pass by itself: trying again is of use.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Standby | Self::ReadOnly => true,
            Self::Version { .. }
            | Self::Encoding { .. }
            | Self::Setting { .. }
            | Self::Shared
            | Self::KeptSession
            | Self::Parameter { .. }
            | Self::NoSchema { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [(&str, &str); 2] = [("search_path", "orders"), ("jit", "off")];

    fn sound() -> Facts {
        Facts {
            backend: 1,
            version_num: 15_00_20,
            version: "15.20 (Debian 15.20-0+deb12u1)".to_owned(),
            server_encoding: "UTF8".to_owned(),
            client_encoding: "UTF8".to_owned(),
            in_recovery: false,
            read_only: "off".to_owned(),
            settings: vec!["orders".to_owned(), "off".to_owned()],
        }
    }

    #[test]
    fn a_suitable_server_is_accepted() {
        for role in [Role::Migrating, Role::Writing, Role::Reading] {
            assert_eq!(sound().verify(role, &WANTED), Ok(()));
        }
        let oldest = Facts { version_num: 14_00_00, ..sound() };
        assert_eq!(oldest.verify(Role::Writing, &WANTED), Ok(()));
    }

    #[test]
    fn an_unsuitable_server_is_explained_with_a_remedy() {
        let setting = |settings: [&str; 2]| settings.map(str::to_owned).to_vec();
        let (old, latin) = ("13.4".to_owned(), "LATIN1".to_owned());
        for (facts, may_pass, words) in [
            (
                Facts { version_num: 13_00_04, version: old, ..sound() },
                false,
                ["13.4", "14 or later"],
            ),
            (
                Facts { server_encoding: latin.clone(), ..sound() },
                false,
                ["LATIN1", "ENCODING 'UTF8'"],
            ),
            (Facts { client_encoding: latin, ..sound() }, false, ["client_encoding", "pool_mode"]),
            (Facts { in_recovery: true, ..sound() }, true, ["standby", "promoted"]),
            (
                Facts { read_only: "on".to_owned(), ..sound() },
                true,
                ["read-only", "default_transaction_read_only"],
            ),
            (
                Facts { settings: setting(["public", "off"]), ..sound() },
                false,
                ["search_path is `public`", "pool_mode = session"],
            ),
            (
                Facts { settings: setting(["orders", "on"]), ..sound() },
                false,
                ["jit", "DISCARD ALL"],
            ),
        ] {
            let unfit = facts.verify(Role::Writing, &WANTED).unwrap_err();
            assert_eq!(unfit.may_pass(), may_pass, "{unfit}");
            for word in words {
                assert!(unfit.to_string().contains(word), "{unfit}");
            }
        }
    }

    #[test]
    fn a_read_only_session_may_use_a_standby() {
        let standby = Facts { in_recovery: true, read_only: "on".to_owned(), ..sound() };
        assert_eq!(standby.verify(Role::Reading, &WANTED), Ok(()));
        assert_eq!(standby.verify(Role::Migrating, &WANTED), Err(Unfit::Standby));
    }
}
