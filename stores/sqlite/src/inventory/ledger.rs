//! The stock ledger and the keys of adjustments, as they stand in their tables.

use crate::columns::{count, micros, time};
use crate::error::Error;
use crate::script::{Script, statement};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{
    AdjustmentKey, AdjustmentOutcome, AdjustmentRecord, Entry, MovementRow, StockRow,
};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row of `movements` to add.
#[derive(Serialize)]
struct WrittenMovement<'a> {
    product_id: &'a str,
    version: u64,
    on_hand: i64,
    reserved: i64,
    at: i64,
    entries: &'a [Entry],
}

impl<'a> From<&'a MovementRow> for WrittenMovement<'a> {
    fn from(row: &'a MovementRow) -> Self {
        let MovementRow { stock, at, entries } = row;
        Self {
            product_id: stock.product_id.as_str(),
            version: stock.version,
            on_hand: stock.on_hand,
            reserved: stock.reserved,
            at: micros(*at),
            entries,
        }
    }
}

pub fn insert_movements(script: &mut Script, movements: &[MovementRow]) -> Result<(), Error> {
    if movements.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = movements.iter().map(WrittenMovement::from).collect();
    let rows = serde_json::to_string(&rows).map_err(Error::corrupt("movements"))?;
    statement!(
        script,
        "INSERT INTO movements (product_id, version, on_hand, reserved, at, entries)
         SELECT value ->> 'product_id', value ->> 'version', value ->> 'on_hand',
                value ->> 'reserved', value ->> 'at', value -> 'entries'
         FROM jsonb_each(?)",
        rows
    );
    Ok(())
}

/// A row of `movements` as it is read.
pub struct StoredMovement {
    pub version: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub at: i64,
    pub entries: String,
}

impl StoredMovement {
    /// The product's ledger row.
    pub fn movement(self, product_id: ProductId) -> Result<MovementRow, Error> {
        let Self { version, on_hand, reserved, at, entries } = self;
        let version = count(version)?;
        let stock = Arc::new(StockRow { product_id, on_hand, reserved, version });
        let entries = serde_json::from_str(&entries).map_err(Error::corrupt("movement"))?;
        Ok(MovementRow { stock, at: time(at)?, entries })
    }
}

/// A row of `adjustment_keys` to add.
#[derive(Serialize)]
struct WrittenKey<'a> {
    key: &'a str,
    /// In hexadecimal digits.
    fingerprint: String,
    outcomes: &'a [AdjustmentOutcome],
    created_at: i64,
}

impl<'a> From<&'a (AdjustmentRecord, Timestamp)> for WrittenKey<'a> {
    fn from((record, at): &'a (AdjustmentRecord, Timestamp)) -> Self {
        let AdjustmentRecord { key: AdjustmentKey { key, fingerprint }, outcomes } = record;
        Self {
            key,
            fingerprint: fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
            outcomes,
            created_at: micros(*at),
        }
    }
}

pub fn insert_adjusted(
    script: &mut Script,
    adjusted: &[(AdjustmentRecord, Timestamp)],
) -> Result<(), Error> {
    if adjusted.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = adjusted.iter().map(WrittenKey::from).collect();
    let rows = serde_json::to_string(&rows).map_err(Error::corrupt("keys of adjustments"))?;
    statement!(
        script,
        "INSERT INTO adjustment_keys (key, fingerprint, outcomes, created_at)
         SELECT value ->> 'key', unhex(value ->> 'fingerprint'), value -> 'outcomes',
                value ->> 'created_at'
         FROM jsonb_each(?)",
        rows
    );
    Ok(())
}

pub async fn load_adjusted(
    conn: &mut SqliteConnection,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, AdjustmentRecord>, Error> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = serde_json::to_string(keys).map_err(Error::corrupt("keys of adjustments"))?;
    let rows = sqlx::query!(
        "SELECT key, fingerprint, outcomes
         FROM adjustment_keys WHERE key IN (SELECT value FROM json_each(?1))",
        keys
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
