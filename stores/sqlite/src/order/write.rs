//! Bulk statements: one a table, whatever the batch's size.

use crate::columns::micros;
use crate::error::Error;
use crate::script::{Script, checked};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::OrderDetails;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::{Claim, HistoryRow, OrderStatus, Saga, SagaStatus};
use ordermill_rows::order::{StoredOrigin, StoredState};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Serialize)]
struct PlacedOrderRow<'a> {
    order_id: Uuid,
    customer_id: &'a str,
    created_at: i64,
    origin: StoredOrigin,
    details: &'a OrderDetails,
}

/// What never changes of new orders.
pub fn place(script: &mut Script, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let rows = sagas.iter().map(|saga| PlacedOrderRow {
        order_id: saga.order_id().0,
        customer_id: &saga.details.customer_id,
        created_at: micros(saga.created_at),
        origin: StoredOrigin::from(&saga.origin),
        details: &saga.details,
    });
    let sql = checked!(
        "INSERT INTO orders (order_id, customer_id, created_at, origin, details)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'customer_id', value ->> 'created_at',
                value -> 'origin', value -> 'details'
         FROM jsonb_each(?)"
    );
    script.insert("order", rows, sql)
}

#[derive(Serialize)]
struct SagaStateRow<'a> {
    order_id: Uuid,
    version: u64,
    status: OrderStatus,
    saga_status: SagaStatus,
    updated_at: i64,
    due_at: Option<i64>,
    state: StoredState<'a>,
}

impl<'a> From<&'a Arc<Saga>> for SagaStateRow<'a> {
    fn from(saga: &'a Arc<Saga>) -> Self {
        Self {
            order_id: saga.order_id().0,
            version: saga.version,
            status: saga.status(),
            saga_status: saga.saga_status(),
            updated_at: micros(saga.updated_at),
            due_at: saga.due_at.map(micros),
            state: StoredState::from(&**saga),
        }
    }
}

/// The sagas of new orders.
pub fn begin(script: &mut Script, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO sagas (order_id, version, status, saga_status, updated_at, due_at, state)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'version', value ->> 'status',
                value ->> 'saga_status', value ->> 'updated_at', value ->> 'due_at',
                value -> 'state'
         FROM jsonb_each(?)"
    );
    script.insert("saga", sagas.iter().map(SagaStateRow::from), sql)
}

/// Sagas that have moved on.
pub fn update(script: &mut Script, sagas: &[Arc<Saga>]) -> Result<(), Error> {
    let sql = checked!(
        "UPDATE sagas
         SET version = v.value ->> 'version', status = v.value ->> 'status',
             saga_status = v.value ->> 'saga_status', updated_at = v.value ->> 'updated_at',
             due_at = v.value ->> 'due_at', state = v.value -> 'state'
         FROM jsonb_each(?) AS v
         WHERE sagas.order_id = unhex(v.value ->> 'order_id', '-')"
    );
    script.update("saga", sagas.iter().map(SagaStateRow::from), sql)
}

#[derive(Serialize)]
struct HistoryAppend<'a> {
    order_id: Uuid,
    sequence: u32,
    at: i64,
    cause: &'a str,
    status: OrderStatus,
    saga_status: SagaStatus,
    step: &'a str,
    facts: &'a [Fact],
}

pub fn append(script: &mut Script, history: &[HistoryRow]) -> Result<(), Error> {
    let rows = history.iter().map(|row| HistoryAppend {
        order_id: row.order_id.0,
        sequence: row.sequence,
        at: micros(row.at),
        cause: &row.cause,
        status: row.status,
        saga_status: row.saga_status,
        step: &row.step,
        facts: &row.facts,
    });
    let sql = checked!(
        "INSERT INTO order_history
                 (order_id, sequence, at, cause, status, saga_status, step, facts)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'sequence', value ->> 'at',
                value ->> 'cause', value ->> 'status', value ->> 'saga_status', value ->> 'step',
                value -> 'facts'
         FROM jsonb_each(?)"
    );
    script.insert("an order's history", rows, sql)
}

#[derive(Serialize)]
struct ClaimKey<'a> {
    key: &'a str,
    /// In hexadecimal digits.
    fingerprint: String,
    order_id: Uuid,
    created_at: i64,
}

/// Keys of requests.
pub fn claim(script: &mut Script, claims: &[(Claim, Timestamp)]) -> Result<(), Error> {
    let rows = claims.iter().map(|(claim, at)| ClaimKey {
        key: &claim.key,
        fingerprint: claim.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
        order_id: claim.order_id.0,
        created_at: micros(*at),
    });
    let sql = checked!(
        "INSERT INTO idempotency_keys (key, fingerprint, order_id, created_at)
         SELECT value ->> 'key', unhex(value ->> 'fingerprint'),
                unhex(value ->> 'order_id', '-'), value ->> 'created_at'
         FROM jsonb_each(?)"
    );
    script.insert("idempotency key", rows, sql)
}
