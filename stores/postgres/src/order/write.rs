//! Bulk statements: one a table, whatever the batch's size.

use crate::columns::{self, column, json_column, number, time};
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::order::{Claim, HistoryRow, Saga};
use ordermill_rows::order::{StoredOrigin, StoredState};
use sqlx::PgConnection;
use std::sync::Arc;

/// What never changes of new orders.
pub async fn place(conn: &mut PgConnection, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO orders (order_id, created_at, customer_id, origin, details)
         SELECT * FROM UNNEST($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])",
        &column(sagas, |saga| saga.order_id().0),
        &column(sagas, |saga| time(saga.created_at)),
        &column(sagas, |saga| saga.details.customer_id.as_str()) as _,
        &json_column("origin", sagas, |saga| StoredOrigin::from(&saga.origin))?,
        &json_column("order", sagas, |saga| &*saga.details)?
    );
    columns::insert(conn, sagas.len(), statement).await
}

/// The sagas of new orders.
pub async fn begin(conn: &mut PgConnection, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO sagas (order_id, version, status, saga_status, updated_at, due_at, state)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[],
                              $6::timestamptz[], $7::text[])",
        &column(sagas, |saga| saga.order_id().0),
        &column(sagas, |saga| number(saga.version)),
        &column(sagas, |saga| saga.status().as_str()) as _,
        &column(sagas, |saga| saga.saga_status().as_str()) as _,
        &column(sagas, |saga| time(saga.updated_at)),
        &column(sagas, |saga| saga.due_at.map(time)) as _,
        &json_column("state", sagas, |saga| StoredState::from(&**saga))?
    );
    columns::insert(conn, sagas.len(), statement).await
}

/// Sagas that have moved on.
pub async fn update(conn: &mut PgConnection, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE sagas
         SET version = v.version, status = v.status, saga_status = v.saga_status,
             updated_at = v.updated_at, due_at = v.due_at, state = v.state
         FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[],
                     $6::timestamptz[], $7::text[])
              AS v (order_id, version, status, saga_status, updated_at, due_at, state)
         WHERE sagas.order_id = v.order_id",
        &column(sagas, |saga| saga.order_id().0),
        &column(sagas, |saga| number(saga.version)),
        &column(sagas, |saga| saga.status().as_str()) as _,
        &column(sagas, |saga| saga.saga_status().as_str()) as _,
        &column(sagas, |saga| time(saga.updated_at)),
        &column(sagas, |saga| saga.due_at.map(time)) as _,
        &json_column("state", sagas, |saga| StoredState::from(&**saga))?
    );
    columns::update(conn, "saga", sagas.len(), statement).await
}

pub async fn append(conn: &mut PgConnection, history: &[HistoryRow]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO order_history (order_id, sequence, at, cause, status, saga_status, step, facts)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
                              $6::text[], $7::text[], $8::text[])",
        &column(history, |row| row.order_id.0),
        &column(history, |row| i64::from(row.sequence)),
        &column(history, |row| time(row.at)),
        &column(history, |row| row.cause.as_str()) as _,
        &column(history, |row| row.status.as_str()) as _,
        &column(history, |row| row.saga_status.as_str()) as _,
        &column(history, |row| row.step.as_str()) as _,
        &json_column("history", history, |row| &row.facts)?
    );
    columns::insert(conn, history.len(), statement).await
}

/// In the order of the keys, so that two processes with the same ones do not wait for each other in a
/// circle.
pub async fn claim(conn: &mut PgConnection, claims: &[(Claim, Timestamp)]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO idempotency_keys (key, fingerprint, order_id, created_at)
         SELECT v.key, v.fingerprint, v.order_id, v.created_at
         FROM UNNEST($1::text[], $2::bytea[], $3::uuid[], $4::timestamptz[])
              AS v (key, fingerprint, order_id, created_at)
         ORDER BY v.key",
        &column(claims, |(claim, _)| claim.key.as_str()) as _,
        &column(claims, |(claim, _)| claim.fingerprint.as_slice()) as _,
        &column(claims, |(claim, _)| claim.order_id.0),
        &column(claims, |(_, at)| time(*at))
    );
    columns::insert(conn, claims.len(), statement).await
}
