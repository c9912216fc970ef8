//! What a batch writes, as one query. Each statement by itself would be a message to the connection's thread
//! and one back; several of one query are one message, and the thread goes from each to the next.
//!
//! ```text
//! journal ──▶ [INSERT …; UPDATE …; INSERT …; + arguments] ──▶ connection's thread ──▶ rows met by each
//! ```

use crate::columns::json_rows;
use crate::error::Error;
use futures::TryStreamExt;
use ordermill_rows::{all_met, corrupt};
use serde::Serialize;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, Sqlite, SqliteConnection, Type};

/// Statements that are run one after the other, up to the first that fails.
#[derive(Debug, Default)]
pub struct Script {
    sql: String,
    arguments: SqliteArguments,
    /// Of each statement: what it must meet, and how many.
    meant: Vec<Option<(&'static str, usize)>>,
}

impl Script {
    /// Adds a statement. Its parameters are plain `?`, since they are counted over the whole script; each is
    /// given by [`Script::with`]. A statement that is known when this is compiled is better added by
    /// `statement!`, which checks it.
    pub fn add(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self.sql.push(';');
        self.meant.push(None);
        self
    }

    /// Gives the next argument of the last statement.
    pub fn with<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(
        &mut self,
        argument: T,
    ) -> Result<&mut Self, Error> {
        self.arguments.add(argument).map_err(sqlx::Error::Encode)?;
        Ok(self)
    }

    /// Adds a statement that writes the rows of a list, its only parameter, unless there are none. `what` is a row, in
    /// errors.
    pub fn insert<T: Serialize>(
        &mut self,
        what: &'static str,
        rows: impl ExactSizeIterator<Item = T>,
        sql: &'static str,
    ) -> Result<(), Error> {
        if rows.len() > 0 {
            self.add(sql).with(json_rows(what, rows)?)?;
        }
        Ok(())
    }

    /// The same, where each row of the list must meet one that is there.
    pub fn update<T: Serialize>(
        &mut self,
        what: &'static str,
        rows: impl ExactSizeIterator<Item = T>,
        sql: &'static str,
    ) -> Result<(), Error> {
        let expected = rows.len();
        self.insert(what, rows, sql)?;
        if expected > 0
            && let Some(meant) = self.meant.last_mut()
        {
            *meant = Some((what, expected));
        }
        Ok(())
    }

    /// Runs it. What an error leaves undone is for the transaction around it to roll back.
    pub async fn run(self, conn: &mut SqliteConnection) -> Result<(), Error> {
        if self.meant.is_empty() {
            return Ok(());
        }
        // There is a text for each combination of statements, and of how many rows the outbox gets: they are few,
        // and stay prepared.
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        let mut done = conn.fetch_many(query);
        for meant in self.meant {
            let met = loop {
                match done.try_next().await? {
                    Some(Either::Left(done)) => break done.rows_affected(),
                    Some(Either::Right(_row)) => {}
                    None => return Err(corrupt("script")("the script ended early").into()),
                }
            };
            if let Some((what, rows)) = meant {
                all_met(what, met, rows)?;
            }
        }
        Ok(())
    }
}

/// Adds a statement to a [`Script`], with its arguments. It is checked against the tables when it is
/// compiled, as by `sqlx::query!`.
macro_rules! statement {
    ($script:expr, $sql:tt $(, $argument:expr)* $(,)?) => {{
        let _checked = || drop(sqlx::query!($sql $(, $argument)*));
        $script.add($sql)$(.with($argument)?)*
    }};
}
pub(crate) use statement;

/// The text of a statement with one parameter, checked in the same way.
macro_rules! checked {
    ($sql:tt) => {{
        let _checked = || drop(sqlx::query!($sql, String::new()));
        $sql
    }};
}
pub(crate) use checked;
