//! The stock ledger and the keys of adjustments, as they stand in their tables.

use crate::columns::micros;
use crate::error::Error;
use crate::script::{Script, checked};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::inventory::{
    AdjustmentKey, AdjustmentOutcome, AdjustmentRecord, Entry, MovementRow,
};
use ordermill_rows::inventory::StoredAdjustment;
use ordermill_rows::to_json;
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

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
    let sql = checked!(
        "INSERT INTO movements (product_id, version, on_hand, reserved, at, entries)
         SELECT value ->> 'product_id', value ->> 'version', value ->> 'on_hand',
                value ->> 'reserved', value ->> 'at', value -> 'entries'
         FROM jsonb_each(?)"
    );
    script.insert("movement", movements.iter().map(WrittenMovement::from), sql)
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
    let sql = checked!(
        "INSERT INTO adjustment_keys (key, fingerprint, outcomes, created_at)
         SELECT value ->> 'key', unhex(value ->> 'fingerprint'), value -> 'outcomes',
                value ->> 'created_at'
         FROM jsonb_each(?)"
    );
    script.insert("adjustment", adjusted.iter().map(WrittenKey::from), sql)
}

pub async fn load_adjusted(
    conn: &mut SqliteConnection,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, AdjustmentRecord>, Error> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = to_json("keys of adjustments", keys)?;
    let rows = sqlx::query_as!(
        StoredAdjustment,
        "SELECT key, fingerprint, outcomes
         FROM adjustment_keys WHERE key IN (SELECT value FROM json_each(?1))",
        keys
    )
    .fetch_all(conn)
    .await?;
    let read = |row: StoredAdjustment| row.adjustment().map(|row| (row.key.key.clone(), row));
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}
