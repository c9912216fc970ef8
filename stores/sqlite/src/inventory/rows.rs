//! Stock and reservations as JSON parameters.

use crate::columns::micros;
use ordermill_domain::inventory::{Lines, ReservationRow, StockRow};
use ordermill_domain::messages::Refusal;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A row of `stock` to write.
#[derive(Serialize)]
pub struct WrittenStock<'a> {
    product_id: &'a str,
    on_hand: i64,
    reserved: i64,
    version: u64,
}

impl<'a> From<&'a Arc<StockRow>> for WrittenStock<'a> {
    fn from(row: &'a Arc<StockRow>) -> Self {
        let StockRow { product_id, on_hand, reserved, version } = &**row;
        Self {
            product_id: product_id.as_str(),
            on_hand: *on_hand,
            reserved: *reserved,
            version: *version,
        }
    }
}

/// A row of `reservations` to add.
#[derive(Serialize)]
pub struct InsertedReservation<'a> {
    order_id: Uuid,
    status: &'static str,
    lines: Option<&'a Lines>,
    refusal: Option<&'a Refusal>,
    updated_at: i64,
}

impl<'a> From<&'a ReservationRow> for InsertedReservation<'a> {
    fn from(row: &'a ReservationRow) -> Self {
        Self {
            order_id: row.order_id.0,
            status: row.reservation.status(),
            lines: row.reservation.lines(),
            refusal: row.reservation.refusal(),
            updated_at: micros(row.updated_at),
        }
    }
}

/// What changes of a row of `reservations` that is there.
#[derive(Serialize)]
pub struct UpdatedReservation {
    order_id: Uuid,
    status: &'static str,
    updated_at: i64,
}

impl From<&ReservationRow> for UpdatedReservation {
    fn from(row: &ReservationRow) -> Self {
        Self {
            order_id: row.order_id.0,
            status: row.reservation.status(),
            updated_at: micros(row.updated_at),
        }
    }
}
