//! Taking over the rows of processes that are dead: those whose lock nobody holds.

use crate::database::{Database, lock_key};
use crate::error::Error;
use ordermill_actors::ports::ReadError;
use sqlx::{Connection, PgConnection};

pub(super) async fn adopt(database: &Database, limit: u32) -> Result<u64, ReadError> {
    let owner = database.owner();
    let others = database.read(move |pool| async move {
        let others = sqlx::query_scalar!(
            "SELECT DISTINCT owner FROM outbox WHERE owner <> $1 ORDER BY owner",
            owner
        );
        Ok(others.fetch_all(&pool).await?)
    });
    let mut adopted = 0;
    // Mostly there are none, and the session that writes is not asked for.
    for other in others.await? {
        let room = u64::from(limit).saturating_sub(adopted);
        if room == 0 {
            break;
        }
        let took = database
            .write(move |conn| Box::pin(async move { from_dead(conn, owner, other, room).await }));
        adopted += took.await?;
    }
    Ok(adopted)
}

/// Takes over rows of one owner, if it is dead. Its lock is held meanwhile, so that it does not come
/// to life again, and that nobody else does the same.
async fn from_dead(
    conn: &mut PgConnection,
    owner: i64,
    other: i64,
    limit: u64,
) -> Result<u64, Error> {
    let mut tx = conn.begin().await?;
    let (high, low) = lock_key(other);
    let dead =
        sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1, $2) AS "dead!""#, high, low)
            .fetch_one(&mut *tx)
            .await?;
    if !dead {
        tx.rollback().await?;
        return Ok(0);
    }
    let taken = sqlx::query!(
        "WITH left_behind AS MATERIALIZED (
             SELECT id FROM outbox WHERE owner = $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE outbox SET owner = $1 FROM left_behind WHERE outbox.id = left_behind.id",
        owner,
        other,
        limit.cast_signed()
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(taken)
}
