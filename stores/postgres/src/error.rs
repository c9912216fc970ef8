//! What PostgreSQL's errors mean to the domain. This is the one place that knows.

use ordermill_actors::ports::{CommitError, ReadError};
use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::time::Duration;

/// What goes wrong in a statement, or in reading what it answers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database or its driver says so.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// A stored value is not what the service writes.
    #[error("a stored value cannot be read as {what}: {cause}")]
    Corrupt {
        /// What it should have been.
        what: &'static str,
        /// Why it is not.
        cause: String,
    },
}

impl Error {
    /// A stored value that is not what the service writes. For `map_err`.
    pub fn corrupt<E: Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self::Corrupt { what, cause: cause.to_string() }
    }

    /// The server has not answered within this time.
    pub(crate) fn late(what: &str, limit: Duration) -> Self {
        let said = format!("{what}: no answer within {limit:?}");
        Self::Sql(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, said)))
    }

    /// What it means when it is met before COMMIT: nothing is written.
    pub(crate) fn before_commit(self) -> CommitError {
        match self.fault() {
            Fault::Race => CommitError::Contended(self.to_string()),
            Fault::World => CommitError::Unavailable(self.to_string()),
            Fault::Data => CommitError::Data(self.to_string()),
        }
    }

    /// What it means when COMMIT itself answers it: written or not, unless the server has refused
    /// the transaction itself.
    ///
    /// A server that is being stopped may say so when the commit is flushed already.
    pub(crate) fn at_commit(self) -> CommitError {
        match (self.sql_state(), self.fault()) {
            (Some(_), Fault::Race) => CommitError::Contended(self.to_string()),
            (Some(_), Fault::Data) => CommitError::Data(self.to_string()),
            _ => CommitError::Unknown(self.to_string()),
        }
    }

    fn fault(&self) -> Fault {
        match (self, self.sql_state().as_deref()) {
            (Self::Corrupt { .. }, _) => Fault::Data,
            (Self::Sql(_), Some(state)) => fault_of(state),
            (Self::Sql(error), None) => match error {
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::RowNotFound => Fault::Data,
                _ => Fault::World,
            },
        }
    }

    fn sql_state(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => error.code(),
            Self::Sql(_) | Self::Corrupt { .. } => None,
        }
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        match error.fault() {
            Fault::Race | Fault::World => Self::Away(error.to_string()),
            Fault::Data => Self::Unreadable(error.to_string()),
        }
    }
}

enum Fault {
    /// Another was first: it is decided again.
    Race,
    /// It may pass.
    World,
    /// It will come again with the same data.
    Data,
}

/// What a state means (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
///
/// What a person has to mend (a right that is missing, a table that is gone) counts as the world: the
/// same batch is good afterwards.
fn fault_of(state: &str) -> Fault {
    match state {
        // Another process has inserted the row meanwhile: read again, it is there now.
        state::UNIQUE_VIOLATION
        | state::SERIALIZATION_FAILURE
        | state::DEADLOCK
        | state::LOCK_NOT_AVAILABLE => Fault::Race,
        // A trigger of ours, or more than an index entry can hold.
        state::RAISED | state::LIMIT_EXCEEDED => Fault::Data,
        _ if state.starts_with(state::DATA) || state.starts_with(state::CONSTRAINT) => Fault::Data,
        _ => Fault::World,
    }
}

mod state {
    pub const DATA: &str = "22";
    pub const CONSTRAINT: &str = "23";
    pub const UNIQUE_VIOLATION: &str = "23505";
    pub const SERIALIZATION_FAILURE: &str = "40001";
    pub const DEADLOCK: &str = "40P01";
    pub const LIMIT_EXCEEDED: &str = "54000";
    pub const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub const RAISED: &str = "P0001";
}
