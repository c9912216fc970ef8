//! The dead letters table, the same in every service's file.

use crate::columns::{Micros, micros};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, statement};
use async_trait::async_trait;
use ordermill_actors::ports::{DeadLetterFilter, DeadLetters, ReadError};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::Queue;
use ordermill_domain::service::{DeadLetter, DeadLetterCount, Discard, DiscardedLetter};
use ordermill_rows::dead_letters::{
    StoredDeadLetter, StoredDeadLetterCount, StoredDiscardedLetter,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

/// Keeps dead letters. One that is there already is the same one, of a commit whose outcome was
/// unknown. Rare, so one by one.
pub(crate) fn insert(script: &mut Script, letters: &[DeadLetter]) -> Result<(), Error> {
    for letter in letters {
        let (queue, attempts) = (letter.queue.as_str(), i64::from(letter.attempts));
        let (first_failed_at, died_at) = (micros(letter.first_failed_at), micros(letter.died_at));
        statement!(
            script,
            "INSERT INTO dead_letters
                 (id, queue, order_id, event_type, cause, attempts, body, first_failed_at, died_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING",
            letter.id,
            queue,
            letter.order_id,
            letter.event_type.as_deref(),
            letter.cause.as_str(),
            attempts,
            letter.body.as_str(),
            first_failed_at,
            died_at
        );
    }
    Ok(())
}

/// Deletes a dead letter; false: it was not there.
pub(crate) async fn delete(conn: &mut SqliteConnection, letter: Uuid) -> Result<bool, Error> {
    let deleted =
        sqlx::query!("DELETE FROM dead_letters WHERE id = ?1", letter).execute(conn).await?;
    Ok(deleted.rows_affected() > 0)
}

/// Moves dead letters to the discarded ones. What is gone already was discarded or redriven before.
pub(crate) async fn discard(
    conn: &mut SqliteConnection,
    discards: &[Discard],
    at: Timestamp,
) -> Result<(), Error> {
    let at = micros(at);
    for Discard { letter, reason } in discards {
        sqlx::query!(
            "INSERT INTO discarded_dead_letters
                 (id, queue, order_id, event_type, cause, attempts, body, first_failed_at, died_at,
                  reason, discarded_at)
             SELECT id, queue, order_id, event_type, cause, attempts, body, first_failed_at, died_at,
                    ?2, ?3
             FROM dead_letters WHERE id = ?1
             ON CONFLICT (id) DO NOTHING",
            letter,
            reason,
            at
        )
        .execute(&mut *conn)
        .await?;
        delete(conn, *letter).await?;
    }
    Ok(())
}

#[async_trait]
impl DeadLetters for Database {
    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        let queue = filter.queue.map(Queue::as_str);
        let before = filter.before.unwrap_or(Uuid::max());
        // Two statements: each goes by its own index, whatever the planner makes of an OR.
        match queue {
            Some(queue) => {
                let query = sqlx::query_as!(
                    StoredDeadLetter::<Micros>,
                    r#"SELECT id AS "id: Uuid", queue, order_id AS "order_id: Uuid", event_type,
                              cause, attempts, body, first_failed_at, died_at
                       FROM dead_letters WHERE queue = ?1 AND id < ?2
                       ORDER BY id DESC LIMIT ?3"#,
                    queue,
                    before,
                    limit
                );
                self.rows(query, StoredDeadLetter::letter).await
            }
            None => {
                let query = sqlx::query_as!(
                    StoredDeadLetter::<Micros>,
                    r#"SELECT id AS "id: Uuid", queue, order_id AS "order_id: Uuid", event_type,
                              cause, attempts, body, first_failed_at, died_at
                       FROM dead_letters WHERE id < ?1 ORDER BY id DESC LIMIT ?2"#,
                    before,
                    limit
                );
                self.rows(query, StoredDeadLetter::letter).await
            }
        }
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        let query = sqlx::query_as!(
            StoredDeadLetter::<Micros>,
            r#"SELECT id AS "id: Uuid", queue, order_id AS "order_id: Uuid", event_type, cause,
                      attempts, body, first_failed_at, died_at
               FROM dead_letters WHERE id = ?1"#,
            id
        );
        self.row(query, StoredDeadLetter::letter).await
    }

    async fn dead_letter_counts(&self) -> Result<Vec<DeadLetterCount>, ReadError> {
        let query = sqlx::query_as!(
            StoredDeadLetterCount::<Micros>,
            r#"SELECT queue AS "queue!", count(*) AS "letters!: i64", min(died_at) AS "oldest!: i64"
               FROM dead_letters GROUP BY queue"#
        );
        let mut counts = self.rows(query, StoredDeadLetterCount::count).await?;
        counts.sort_by_key(|count| count.queue);
        Ok(counts)
    }

    async fn forget_dead_letters(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM dead_letters WHERE id IN (
                 SELECT id FROM dead_letters WHERE died_at < ?1 ORDER BY id LIMIT ?2)",
            before,
            limit
        );
        self.execute(query).await
    }

    async fn discarded_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError> {
        let queue = filter.queue.map(Queue::as_str);
        let before = filter.before.unwrap_or(Uuid::max());
        // They are few: each was looked at by a person.
        let query = sqlx::query_as!(
            StoredDiscardedLetter::<Micros>,
            r#"SELECT id AS "id: Uuid", queue, order_id AS "order_id: Uuid", event_type, cause,
                      attempts, body, first_failed_at, died_at, reason, discarded_at
               FROM discarded_dead_letters
               WHERE queue = coalesce(?1, queue) AND id < ?2 ORDER BY id DESC LIMIT ?3"#,
            queue,
            before,
            limit
        );
        self.rows(query, StoredDiscardedLetter::letter).await
    }

    async fn forget_discarded(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM discarded_dead_letters WHERE id IN (
                 SELECT id FROM discarded_dead_letters WHERE discarded_at < ?1 LIMIT ?2)",
            before,
            limit
        );
        self.execute(query).await
    }
}
