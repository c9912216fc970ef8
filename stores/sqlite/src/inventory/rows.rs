//! Stock and reservations as they stand in their tables.

use crate::columns::{count, micros, time};
use crate::error::Error;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Lines, Reservation, ReservationRow, StockRow};
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

/// A row of `stock` as it is read.
pub struct StoredStock {
    pub product_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    pub version: i64,
}

impl StoredStock {
    /// The stock that the row stands for.
    pub fn stock(self) -> Result<StockRow, Error> {
        let Self { product_id, on_hand, reserved, version } = self;
        let product_id = ProductId::from(product_id.as_str());
        Ok(StockRow { product_id, on_hand, reserved, version: count(version)? })
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

/// A row of `reservations` as it is read.
pub struct StoredReservation {
    pub order_id: Uuid,
    pub status: String,
    pub lines: Option<String>,
    pub refusal: Option<String>,
    pub updated_at: i64,
}

impl StoredReservation {
    /// The reservation that the row stands for.
    pub fn reservation(self) -> Result<ReservationRow, Error> {
        let lines = self.lines.as_deref().map(serde_json::from_str::<Lines>).transpose();
        let refusal = self.refusal.as_deref().map(serde_json::from_str::<Refusal>).transpose();
        let reservation = Reservation::from_parts(
            &self.status,
            lines.map_err(Error::corrupt("list of lines"))?,
            refusal.map_err(Error::corrupt("refusal"))?,
        );
        Ok(ReservationRow {
            order_id: OrderId(self.order_id),
            reservation: reservation.ok_or(self.status).map_err(Error::corrupt("reservation"))?,
            updated_at: time(self.updated_at)?,
        })
    }
}
