//! Stock, its ledger, reservations and the keys of adjustments.

use crate::columns::{StoredTime, count, from_json};
use crate::error::{Corrupt, corrupt};
use crate::record::record;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{
    AdjustmentKey, AdjustmentRecord, MovementRow, Reservation, ReservationRow, StockRow,
};
use ordermill_domain::reconciliation::{ProductRecord, Record, ReservationRecord, StockRecord};
use std::sync::Arc;
use uuid::Uuid;

/// A row of `stock`, as it is read.
pub struct StoredStock {
    pub product_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    pub version: i64,
}

impl StoredStock {
    /// The stock that the row stands for.
    ///
    /// # Errors
    ///
    /// When the version is negative.
    pub fn stock(self) -> Result<StockRow, Corrupt> {
        let Self { product_id, on_hand, reserved, version } = self;
        let product_id = ProductId::from(product_id.as_str());
        Ok(StockRow { product_id, on_hand, reserved, version: count(version)? })
    }
}

/// A row of `reservations`, as it is read.
pub struct StoredReservation<T> {
    pub order_id: Uuid,
    pub status: String,
    pub lines: Option<String>,
    pub refusal: Option<String>,
    pub updated_at: T,
}

impl<T: StoredTime> StoredReservation<T> {
    /// The reservation that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read, or the status does not fit to what is there.
    pub fn reservation(self) -> Result<ReservationRow, Corrupt> {
        let lines = self.lines.as_deref().map(|lines| from_json("list of lines", lines));
        let refusal = self.refusal.as_deref().map(|refusal| from_json("refusal", refusal));
        let (lines, refusal) = (lines.transpose()?, refusal.transpose()?);
        let reservation = Reservation::from_parts(&self.status, lines, refusal);
        Ok(ReservationRow {
            order_id: OrderId(self.order_id),
            reservation: reservation.ok_or(self.status).map_err(corrupt("reservation"))?,
            updated_at: self.updated_at.timestamp()?,
        })
    }

    /// What the inventory service says of the order.
    pub fn record(self) -> Record<ReservationRecord> {
        record(self.order_id, self.reservation().map(|row| (&row.reservation).into()))
    }
}

/// A row of `movements`, as it is read.
pub struct StoredMovement<T> {
    pub version: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub at: T,
    pub entries: String,
}

impl<T: StoredTime> StoredMovement<T> {
    /// The product's ledger row.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn movement(self, product_id: ProductId) -> Result<MovementRow, Corrupt> {
        let Self { version, on_hand, reserved, at, entries } = self;
        let version = count(version)?;
        let stock = Arc::new(StockRow { product_id, on_hand, reserved, version });
        let entries = from_json("movement", &entries)?;
        Ok(MovementRow { stock, at: at.timestamp()?, entries })
    }
}

/// A row of `adjustment_keys`, as it is read.
pub struct StoredAdjustment {
    pub key: String,
    pub fingerprint: Vec<u8>,
    pub outcomes: String,
}

impl StoredAdjustment {
    /// The adjustment that was applied.
    ///
    /// # Errors
    ///
    /// When its outcomes cannot be read.
    pub fn adjustment(self) -> Result<AdjustmentRecord, Corrupt> {
        let Self { key, fingerprint, outcomes } = self;
        let outcomes = from_json("adjustment", &outcomes)?;
        Ok(AdjustmentRecord { key: AdjustmentKey { key, fingerprint }, outcomes })
    }
}

/// A product's stock, the newest row of its ledger, and the units that reservations claim, read in one statement.
pub struct StoredProduct {
    pub product_id: String,
    pub on_hand: i64,
    pub reserved: i64,
    pub version: i64,
    pub claimed: i64,
    pub ledger_version: Option<i64>,
    pub ledger_on_hand: Option<i64>,
    pub ledger_reserved: Option<i64>,
}

impl StoredProduct {
    /// What the inventory service says of the product.
    ///
    /// # Errors
    ///
    /// When a version is negative.
    pub fn record(self) -> Result<ProductRecord, Corrupt> {
        let ledger = match (self.ledger_version, self.ledger_on_hand, self.ledger_reserved) {
            (Some(version), Some(on_hand), Some(reserved)) => {
                Some(StockRecord { version: count(version)?, on_hand, reserved })
            }
            _ => None,
        };
        Ok(ProductRecord {
            product_id: ProductId::from(self.product_id.as_str()),
            on_hand: self.on_hand,
            reserved: self.reserved,
            version: count(self.version)?,
            ledger,
            claimed: self.claimed,
        })
    }
}
