//! The stock ledger and the keys of adjustments, as they stand in their tables.

use crate::columns::{self, column, json_column, number, time};
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::inventory::{AdjustmentRecord, MovementRow};
use ordermill_rows::inventory::StoredAdjustment;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};

pub async fn insert_movements(
    conn: &mut PgConnection,
    movements: &[MovementRow],
) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO movements (product_id, version, on_hand, reserved, at, entries)
         SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[],
                              $5::timestamptz[], $6::text[])",
        &column(movements, |row| row.stock.product_id.as_str()) as _,
        &column(movements, |row| number(row.stock.version)),
        &column(movements, |row| row.stock.on_hand),
        &column(movements, |row| row.stock.reserved),
        &column(movements, |row| time(row.at)),
        &json_column("movements", movements, |row| &row.entries)?
    );
    columns::insert(conn, movements.len(), statement).await
}

pub async fn insert_adjusted(
    conn: &mut PgConnection,
    adjusted: &[(AdjustmentRecord, Timestamp)],
) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO adjustment_keys (key, fingerprint, outcomes, created_at)
         SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::text[], $4::timestamptz[])",
        &column(adjusted, |(record, _)| record.key.key.as_str()) as _,
        &column(adjusted, |(record, _)| record.key.fingerprint.as_slice()) as _,
        &json_column("adjustment", adjusted, |(record, _)| &record.outcomes)?,
        &column(adjusted, |(_, at)| time(*at))
    );
    columns::insert(conn, adjusted.len(), statement).await
}

pub async fn load_adjusted(
    conn: &mut PgConnection,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, AdjustmentRecord>, Error> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    // They are inserted and forgotten, never changed: there is nothing to lock. A key that another process
    // inserts meanwhile makes this batch one to be tried again.
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let rows = sqlx::query_as!(
        StoredAdjustment,
        "SELECT key, fingerprint, outcomes FROM adjustment_keys WHERE key = ANY($1::text[])",
        &keys as _
    )
    .fetch_all(conn)
    .await?;
    let read = |row: StoredAdjustment| row.adjustment().map(|row| (row.key.key.clone(), row));
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}
