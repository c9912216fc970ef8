//! The stock ledger and the keys of adjustments, as they stand in their tables.

use crate::columns::{column, count, number, time};
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{AdjustmentKey, AdjustmentRecord, MovementRow, StockRow};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub async fn insert_movements(
    conn: &mut PgConnection,
    movements: &[MovementRow],
) -> Result<(), Error> {
    if movements.is_empty() {
        return Ok(());
    }
    let entries = movements.iter().map(|row| serde_json::to_string(&row.entries));
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(Error::corrupt("movements"))?;
    sqlx::query!(
        "INSERT INTO movements (product_id, version, on_hand, reserved, at, entries)
         SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[],
                              $5::timestamptz[], $6::text[])",
        &column(movements, |row| row.stock.product_id.as_str()) as _,
        &column(movements, |row| number(row.stock.version)),
        &column(movements, |row| row.stock.on_hand),
        &column(movements, |row| row.stock.reserved),
        &column(movements, |row| time(row.at)),
        &entries
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A row of `movements` as it is read.
pub struct StoredMovement {
    pub version: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub at: Timestamp,
    pub entries: String,
}

impl StoredMovement {
    /// The product's ledger row.
    pub fn movement(self, product_id: ProductId) -> Result<MovementRow, Error> {
        let Self { version, on_hand, reserved, at, entries } = self;
        let version = count(version)?;
        let stock = Arc::new(StockRow { product_id, on_hand, reserved, version });
        let entries = serde_json::from_str(&entries).map_err(Error::corrupt("movement"))?;
        Ok(MovementRow { stock, at, entries })
    }
}

pub async fn insert_adjusted(
    conn: &mut PgConnection,
    adjusted: &[(AdjustmentRecord, Timestamp)],
) -> Result<(), Error> {
    if adjusted.is_empty() {
        return Ok(());
    }
    let outcomes = adjusted.iter().map(|(record, _)| serde_json::to_string(&record.outcomes));
    let outcomes = outcomes.collect::<Result<Vec<_>, _>>().map_err(Error::corrupt("adjustment"))?;
    sqlx::query!(
        "INSERT INTO adjustment_keys (key, fingerprint, outcomes, created_at)
         SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::text[], $4::timestamptz[])",
        &column(adjusted, |(record, _)| record.key.key.as_str()) as _,
        &column(adjusted, |(record, _)| record.key.fingerprint.as_slice()) as _,
        &outcomes,
        &column(adjusted, |(_, at)| time(*at))
    )
    .execute(conn)
    .await?;
    Ok(())
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
    let rows = sqlx::query!(
        "SELECT key, fingerprint, outcomes FROM adjustment_keys WHERE key = ANY($1::text[])",
        &keys as _
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| {
        let outcomes = serde_json::from_str(&row.outcomes).map_err(Error::corrupt("adjustment"))?;
        let key = AdjustmentKey { key: row.key.clone(), fingerprint: row.fingerprint };
        Ok((row.key, AdjustmentRecord { key, outcomes }))
    });
    rows.collect()
}
