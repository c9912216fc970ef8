//! Why a database cannot be opened, in sentences that say what to do. Passwords never stand in them.

use super::session::Unfit;
use crate::error::Error;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use std::fmt::{self, Display, Formatter};
use thiserror::Error;

/// The first migration of 0.2.0. Ordermill 0.1 had those below.
const FIRST_MIGRATION: i64 = 201;

/// Where a schema is, as it is said to people.
#[derive(Clone, Debug)]
pub struct Place {
    /// Host and port, or the socket.
    pub server: String,
    /// The database.
    pub database: String,
    /// Who asks.
    pub user: String,
    /// The schema.
    pub schema: &'static str,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { server, database, user: _, schema } = self;
        write!(f, "schema \"{schema}\" of database \"{database}\" at {server}")
    }
}

/// Why a database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error(
        "malformed PostgreSQL URL: {cause}; expected postgres://user:password@host:5432/database"
    )]
    Address {
        /// Why.
        cause: String,
    },
    /// Nobody answers there.
    #[error("connecting to PostgreSQL at {} failed: {cause}; check host, port and server", place.server)]
    Unreachable {
        /// Where.
        place: Place,
        /// Why.
        cause: String,
    },
    /// It answers, and takes nobody now: it is starting or stopping, has no session or no space left,
    /// or another process is migrating for long.
    #[error("PostgreSQL at {} is not ready: {cause}", place.server)]
    NotReady {
        /// Where.
        place: Place,
        /// Why.
        cause: String,
    },
    /// It does not know the user, or the password is another.
    #[error("PostgreSQL at {} rejects user \"{}\": {cause}; check user and password", place.server, place.user)]
    Credentials {
        /// Where.
        place: Place,
        /// What it says.
        cause: String,
    },
    /// There is no such database.
    #[error("database \"{}\" at {} does not exist; create it, or use another one", place.database, place.server)]
    NoDatabase {
        /// Where.
        place: Place,
    },
    /// The user lacks a right.
    #[error("user \"{}\" lacks permission for {place}: {cause}; make it the owner of the schema, \
        or allow it to create schemas in the database", place.user)]
    Forbidden {
        /// Where.
        place: Place,
        /// What it says.
        cause: String,
    },
    /// Ordermill 0.1 has created it.
    #[error(
        "{place} was created by Ordermill 0.1, whose data this version does not read; start with \
            an empty database, or use version 0.1"
    )]
    TooOld {
        /// Where.
        place: Place,
    },
    /// A newer Ordermill has been here.
    #[error(
        "{place} was written by a newer version: migration {version} is unknown; start that \
            version or a later one"
    )]
    Newer {
        /// Where.
        place: Place,
        /// The migration.
        version: i64,
    },
    /// It lacks a migration, and none is to be applied.
    #[error(
        "{place} lacks migration {version}, and ORDERMILL_MIGRATE is `off`; run `ordermill migrate`"
    )]
    Behind {
        /// Where.
        place: Place,
        /// The first one that is missing.
        version: i64,
    },
    /// An applied migration reads differently here.
    #[error(
        "{place} was created by another build: migration {version} differs; start that build, or \
            use another database"
    )]
    Altered {
        /// Where.
        place: Place,
        /// The migration.
        version: i64,
    },
    /// A migration failed; the schema is as it was.
    #[error("migrating {place} failed: {source}")]
    Migration {
        /// Where.
        place: Place,
        /// Why.
        source: Box<MigrateError>,
    },
    /// The server, or what stands before it, is not what Ordermill needs.
    #[error("PostgreSQL at {} is not usable for database \"{}\": {why}", place.server, place.database)]
    Unfit {
        /// Where.
        place: Place,
        /// Why.
        why: Box<Unfit>,
    },
    /// Something else: it speaks no PostgreSQL, TLS does not come about.
    #[error("opening {place} failed: {cause}")]
    Unusable {
        /// Where.
        place: Place,
        /// Why.
        cause: String,
    },
}

impl OpenError {
    /// True when it may pass by itself: trying again is of use.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotReady { .. } => true,
            Self::Unfit { why, .. } => why.may_pass(),
            Self::Address { .. }
            | Self::Credentials { .. }
            | Self::NoDatabase { .. }
            | Self::Forbidden { .. }
            | Self::TooOld { .. }
            | Self::Newer { .. }
            | Self::Behind { .. }
            | Self::Altered { .. }
            | Self::Migration { .. }
            | Self::Unusable { .. } => false,
        }
    }
}

impl Place {
    pub(super) fn of(options: &PgConnectOptions, schema: &'static str) -> Self {
        let user = options.get_username().to_owned();
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or(&user).to_owned();
        Self { server, database, user, schema }
    }

    /// What an error before the first migration means.
    pub(super) fn refusal(&self, error: Error) -> OpenError {
        match error {
            Error::Sql(error) => self.said(&error),
            Error::Unfit(why) => OpenError::Unfit { place: self.clone(), why: Box::new(why) },
            Error::Corrupt { .. } => self.unusable(&error),
        }
    }

    /// What an error of the migrations means.
    pub(super) fn migration(&self, source: MigrateError) -> OpenError {
        let place = self.clone();
        match source {
            MigrateError::VersionMissing(..FIRST_MIGRATION) => OpenError::TooOld { place },
            MigrateError::VersionMissing(version) => OpenError::Newer { place, version },
            MigrateError::VersionMismatch(version) => OpenError::Altered { place, version },
            MigrateError::Execute(ref error) | MigrateError::ExecuteMigration(ref error, _) => {
                match self.said(error) {
                    OpenError::Unusable { .. } => {
                        OpenError::Migration { place, source: Box::new(source) }
                    }
                    said => said,
                }
            }
            source => OpenError::Migration { place, source: Box::new(source) },
        }
    }

    fn said(&self, error: &sqlx::Error) -> OpenError {
        let (place, cause) = (self.clone(), error.to_string());
        match error {
            sqlx::Error::Io(_) => OpenError::Unreachable { place, cause },
            sqlx::Error::Database(said) => {
                let cause = said.message().to_owned();
                match said.code().as_deref().unwrap_or_default() {
                    state::NO_DATABASE => OpenError::NoDatabase { place },
                    state::FORBIDDEN => OpenError::Forbidden { place, cause },
                    state::LOCK_TIMEOUT => {
                        let cause = "another process holds the migration lock".to_owned();
                        OpenError::NotReady { place, cause }
                    }
                    state::STATEMENT_UNKNOWN | state::STATEMENT_TAKEN => {
                        OpenError::Unfit { place, why: Box::new(Unfit::KeptSession) }
                    }
                    state::PROTOCOL => self.said_by_pooler(cause),
                    state if state.starts_with(state::CREDENTIALS) => {
                        OpenError::Credentials { place, cause }
                    }
                    state if state::PASSING.iter().any(|class| state.starts_with(class)) => {
                        OpenError::NotReady { place, cause }
                    }
                    _ => OpenError::Unusable { place, cause },
                }
            }
            _ => OpenError::Unusable { place, cause },
        }
    }

    /// PgBouncer says nearly everything under this one state.
    fn said_by_pooler(&self, cause: String) -> OpenError {
        let place = self.clone();
        if cause.contains("unsupported startup parameter") {
            OpenError::Unfit { place, why: Box::new(Unfit::Parameter { cause }) }
        } else if cause.contains("no such database") {
            OpenError::NoDatabase { place }
        } else if cause.contains("no such user") {
            OpenError::Credentials { place, cause }
        } else {
            OpenError::NotReady { place, cause }
        }
    }

    fn unusable(&self, cause: &dyn Display) -> OpenError {
        OpenError::Unusable { place: self.clone(), cause: cause.to_string() }
    }
}

/// States and their classes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
mod state {
    pub const CREDENTIALS: &str = "28";
    pub const NO_DATABASE: &str = "3D000";
    pub const FORBIDDEN: &str = "42501";
    pub const LOCK_TIMEOUT: &str = "55P03";
    /// A prepared statement that is another session's, or was one's own.
    pub const STATEMENT_UNKNOWN: &str = "26000";
    pub const STATEMENT_TAKEN: &str = "42P05";
    pub const PROTOCOL: &str = "08P01";
    /// Lost connections, a server that takes no writes, too little of something, somebody's intervention, a
    /// full disk.
    pub const PASSING: [&str; 5] = ["08", "25006", "53", "57", "58"];
}
