//! What SQLite's errors mean to the domain. This is the one place that knows.

use ordermill_actors::ports::{CommitError, ReadError};
use ordermill_rows::Corrupt;

/// What goes wrong in a statement, or in reading what it answers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database or its driver says so.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// A stored value is not what the service writes.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl Error {
    /// What it means when it is met before COMMIT: nothing is written.
    pub(crate) fn before_commit(self) -> CommitError {
        match self.fault() {
            Fault::Race => CommitError::Contended(self.to_string()),
            Fault::World => CommitError::Unavailable(self.to_string()),
            Fault::Data => CommitError::Data(self.to_string()),
        }
    }

    /// What it means when COMMIT itself answers it: written or not, unless SQLite says it is not.
    ///
    /// A failed flush is of unknown outcome: its frames are in the log and may be found valid when
    /// the file is opened again.
    pub(crate) fn at_commit(self) -> CommitError {
        match self.result_code() {
            Some(code::BUSY | code::LOCKED | code::FULL) => {
                CommitError::Unavailable(self.to_string())
            }
            Some(code::CONSTRAINT) => CommitError::Data(self.to_string()),
            _ => CommitError::Unknown(self.to_string()),
        }
    }

    fn fault(&self) -> Fault {
        let extended = self.extended_code();
        match (self, self.result_code()) {
            (Self::Corrupt(_), _) => Fault::Data,
            // Somebody else inserted the row meanwhile: read again, it is there now.
            (_, Some(code::CONSTRAINT))
                if matches!(
                    extended,
                    Some(code::PRIMARY_KEY_TAKEN | code::UNIQUE_TAKEN | code::ROWID_TAKEN)
                ) =>
            {
                Fault::Race
            }
            // `ERROR` is what functions answer: JSON that is none, a sum that overflows.
            (_, Some(code::CONSTRAINT | code::MISMATCH | code::TOO_BIG | code::ERROR)) => {
                Fault::Data
            }
            (Self::Sql(error), None) => match error {
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::RowNotFound => Fault::Data,
                _ => Fault::World,
            },
            (Self::Sql(_), Some(_)) => Fault::World,
        }
    }

    fn extended_code(&self) -> Option<i32> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => error.code()?.parse().ok(),
            Self::Sql(_) | Self::Corrupt(_) => None,
        }
    }

    /// The code without what the extended one adds in its upper bits.
    fn result_code(&self) -> Option<i32> {
        self.extended_code().map(|code| code & 0xff)
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

/// SQLite's result codes (<https://www.sqlite.org/rescode.html>).
mod code {
    pub const ERROR: i32 = 1;
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const FULL: i32 = 13;
    pub const TOO_BIG: i32 = 18;
    pub const CONSTRAINT: i32 = 19;
    pub const MISMATCH: i32 = 20;
    pub const PRIMARY_KEY_TAKEN: i32 = 1555;
    pub const UNIQUE_TAKEN: i32 = 2067;
    pub const ROWID_TAKEN: i32 = 2579;
}
