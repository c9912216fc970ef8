//! Dead letters, and those that were discarded.

use crate::columns::{StoredTime, count};
use crate::error::{Corrupt, corrupt};
use ordermill_domain::messages::Queue;
use ordermill_domain::service::{DeadLetter, DeadLetterCount, DiscardedLetter};
use uuid::Uuid;

/// A row of `dead_letters`, as it is read.
pub struct StoredDeadLetter<T> {
    pub id: Uuid,
    pub queue: String,
    pub order_id: Option<Uuid>,
    pub event_type: Option<String>,
    pub cause: String,
    pub attempts: i64,
    pub body: String,
    pub first_failed_at: T,
    pub died_at: T,
}

impl<T: StoredTime> StoredDeadLetter<T> {
    /// The letter that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn letter(self) -> Result<DeadLetter, Corrupt> {
        Ok(DeadLetter {
            id: self.id,
            queue: Queue::parse(&self.queue).ok_or(self.queue).map_err(corrupt("queue"))?,
            order_id: self.order_id,
            event_type: self.event_type,
            cause: self.cause,
            attempts: count(self.attempts)?,
            body: self.body,
            first_failed_at: self.first_failed_at.timestamp()?,
            died_at: self.died_at.timestamp()?,
        })
    }
}

/// The dead letters of a queue, as they are counted.
pub struct StoredDeadLetterCount<T> {
    pub queue: String,
    pub letters: i64,
    pub oldest: T,
}

impl<T: StoredTime> StoredDeadLetterCount<T> {
    /// The count that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn count(self) -> Result<DeadLetterCount, Corrupt> {
        let Self { queue, letters, oldest } = self;
        let queue = Queue::parse(&queue).ok_or(queue).map_err(corrupt("queue"))?;
        Ok(DeadLetterCount { queue, letters: count(letters)?, oldest: oldest.timestamp()? })
    }
}

/// A row of `discarded_dead_letters`, as it is read.
pub struct StoredDiscardedLetter<T> {
    pub id: Uuid,
    pub queue: String,
    pub order_id: Option<Uuid>,
    pub event_type: Option<String>,
    pub cause: String,
    pub attempts: i64,
    pub body: String,
    pub first_failed_at: T,
    pub died_at: T,
    pub reason: String,
    pub discarded_at: T,
}

impl<T: StoredTime> StoredDiscardedLetter<T> {
    /// The letter that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn letter(self) -> Result<DiscardedLetter, Corrupt> {
        let Self { id, queue, order_id, event_type, cause, attempts, body, .. } = self;
        let (first_failed_at, died_at) = (self.first_failed_at, self.died_at);
        let stored = StoredDeadLetter {
            id,
            queue,
            order_id,
            event_type,
            cause,
            attempts,
            body,
            first_failed_at,
            died_at,
        };
        Ok(DiscardedLetter {
            letter: stored.letter()?,
            reason: self.reason,
            discarded_at: self.discarded_at.timestamp()?,
        })
    }
}
