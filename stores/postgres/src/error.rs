//! What PostgreSQL's errors mean to the domain. This is the one place that knows.

use crate::database::Unfit;
use ordermill_actors::ports::{CommitError, ReadError};
use ordermill_rows::Corrupt;
use std::borrow::Cow;
use std::io;
use std::time::Duration;

/// What goes wrong in a statement, or in reading what it answers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database or its driver says so.
    #[error(transparent)]
    Sql(sqlx::Error),
    /// The server, or the session with it, cannot be used.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A stored value is not what the service writes.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

/// What the setup of a pool's session has found, as the pool hands it on.
impl From<Error> for sqlx::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Sql(error) => error,
            Error::Unfit(unfit) => Self::Configuration(Box::new(unfit)),
            Error::Corrupt(_) => Self::Decode(error.to_string().into()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(cause) => match cause.downcast::<Unfit>() {
                Ok(unfit) => Self::Unfit(*unfit),
                Err(cause) => Self::Sql(sqlx::Error::Configuration(cause)),
            },
            error => Self::Sql(error),
        }
    }
}

impl Error {
    /// The server has not answered within this time.
    pub(crate) fn late(what: &str, limit: Duration) -> Self {
        let said = format!("{what}: no response within {limit:?}");
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
            (Self::Corrupt(_), _) => Fault::Data,
            (Self::Unfit(_), _) => Fault::World,
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
            Self::Sql(_) | Self::Unfit(_) | Self::Corrupt(_) => None,
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

#[derive(Debug, PartialEq, Eq)]
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
        _ if state::REFUSED.iter().any(|class| state.starts_with(class)) => Fault::Data,
        _ => Fault::World,
    }
}

mod state {
    pub const UNIQUE_VIOLATION: &str = "23505";
    pub const SERIALIZATION_FAILURE: &str = "40001";
    pub const DEADLOCK: &str = "40P01";
    pub const LOCK_NOT_AVAILABLE: &str = "55P03";
    /// Classes: more than one row where one is due, the data themselves, a constraint, an exception
    /// of a function, a view's check option, more than the server can hold in one place, and what a
    /// trigger raises.
    pub const REFUSED: [&str; 8] = ["21", "22", "23", "38", "39", "44", "54", "P0"];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each state means to a batch. The states are those that PostgreSQL documents for the classes
    /// that a batch can meet, and the ones that connection poolers use.
    #[test]
    fn each_state_is_tried_again_waited_for_or_refused() {
        for (expected, states) in [
            (Fault::Race, &["23505", "40001", "40P01", "55P03"][..]),
            (
                Fault::World,
                &[
                    // Lost connections, a read-only server, a pooler that mixes up sessions.
                    "08000", "08003", "08006", "08P01", "25006", "25P02", "25P03", "26000", "42P05",
                    // What a person mends: rights, tables, columns.
                    "28000", "28P01", "42501", "42P01", "42703", "42883", "0A000", "3F000",
                    // Too little of something, somebody's intervention, the system, damage on disk.
                    "53000", "53100", "53200", "53300", "53400", "55000", "55006", "57014", "57P01",
                    "57P02", "57P03", "57P05", "58000", "58030", "XX000", "XX001", "XX002",
                ],
            ),
            (
                Fault::Data,
                &[
                    "21000", "22000", "22001", "22003", "22007", "22008", "22012", "22021",
                    "22023", "22P02", "22P03", "22P05", "23000", "23001", "23502", "23503",
                    "23514", "23P01", "38000", "39000", "44000", "54000", "54001", "54023",
                    "P0001", "P0004",
                ],
            ),
        ] {
            for state in states {
                assert_eq!(fault_of(state), expected, "{state}");
            }
        }
    }
}
