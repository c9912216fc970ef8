//! The dead letters table, the same in every service's file.

use crate::columns::{count, micros, time};
use crate::database::Database;
use crate::error::Error;
use ordermill_actors::messages::Queue;
use ordermill_actors::ports::ReadError;
use ordermill_actors::runtime::service::DeadLetter;
use sqlx::SqliteConnection;
use uuid::Uuid;

/// Keeps dead letters. One that is there already is the same one, of a commit whose outcome was
/// unknown. Rare, so one by one.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    letters: &[DeadLetter],
) -> Result<(), Error> {
    for letter in letters {
        let (queue, attempts) = (letter.queue.as_str(), i64::from(letter.attempts));
        let died_at = micros(letter.died_at);
        sqlx::query!(
            "INSERT INTO dead_letters
                 (id, queue, order_id, event_type, cause, attempts, body, died_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO NOTHING",
            letter.id,
            queue,
            letter.order_id,
            letter.event_type,
            letter.cause,
            attempts,
            letter.body,
            died_at
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

impl Database {
    /// Dead letters, newest first: those older than `before`, `limit` at most.
    pub async fn dead_letters(
        &self,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        let before = before.unwrap_or(Uuid::max());
        self.read(move |pool| async move {
            let rows = sqlx::query!(
                r#"SELECT id AS "id: Uuid", queue, order_id AS "order_id: Uuid", event_type, cause,
                          attempts, body, died_at
                   FROM dead_letters WHERE id < ?1 ORDER BY id DESC LIMIT ?2"#,
                before,
                limit
            )
            .fetch_all(&pool)
            .await?;
            rows.into_iter()
                .map(|row| {
                    Ok(DeadLetter {
                        id: row.id,
                        queue: queue(&row.queue)?,
                        order_id: row.order_id,
                        event_type: row.event_type,
                        cause: row.cause,
                        attempts: count(row.attempts)?,
                        body: row.body,
                        died_at: time(row.died_at)?,
                    })
                })
                .collect()
        })
        .await
    }
}

fn queue(name: &str) -> Result<Queue, Error> {
    Queue::ALL
        .iter()
        .copied()
        .find(|queue| queue.as_str() == name)
        .ok_or(name)
        .map_err(Error::corrupt("queue"))
}
