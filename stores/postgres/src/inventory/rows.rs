//! Stock and reservations as they stand in their tables.

use crate::columns::count;
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Lines, Reservation, ReservationRow, StockRow};
use ordermill_domain::messages::Refusal;
use uuid::Uuid;

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

/// The column `lines` of a row to add.
pub fn lines(row: &ReservationRow) -> Result<Option<String>, Error> {
    let lines = row.reservation.lines().map(serde_json::to_string).transpose();
    lines.map_err(Error::corrupt("list of lines"))
}

/// The column `refusal` of a row to add.
pub fn refusal(row: &ReservationRow) -> Result<Option<String>, Error> {
    let refusal = row.reservation.refusal().map(serde_json::to_string).transpose();
    refusal.map_err(Error::corrupt("refusal"))
}

/// A row of `reservations` as it is read.
pub struct StoredReservation {
    pub order_id: Uuid,
    pub status: String,
    pub lines: Option<String>,
    pub refusal: Option<String>,
    pub updated_at: Timestamp,
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
            updated_at: self.updated_at,
        })
    }
}
