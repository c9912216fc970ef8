//! Shipments.

use crate::columns::{StoredTime, count, from_json};
use crate::error::{Corrupt, corrupt};
use crate::record::record;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, Priority, Refusal, ShipmentScheduled};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::reconciliation::{Record, ShipmentRecord};
use ordermill_domain::shipping::{Parcel, Shipment, ShipmentState, Undone};
use uuid::Uuid;

const STANDARD: &str = "standard";
const EXPRESS: &str = "express";

/// The column `priority` of a parcel.
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Standard => STANDARD,
        Priority::Express => EXPRESS,
    }
}

/// The column `address` of a parcel, as JSON.
pub fn address(address: &Address) -> String {
    serde_json::to_string(address).expect("an address contains only strings")
}

/// A row of `shipments`, as it is read.
pub struct StoredShipment<T> {
    pub order_id: Uuid,
    pub status: String,
    pub decided_at: T,
    pub reason: Option<String>,
    pub tracking_code: Option<String>,
    pub freight_minor: Option<i64>,
    pub currency: Option<String>,
    pub estimated_delivery: Option<T>,
    pub units: Option<i64>,
    pub priority: Option<String>,
    pub address: Option<String>,
    pub dispatched_at: Option<T>,
}

impl<T: StoredTime + Copy> StoredShipment<T> {
    /// The shipment that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read, or the status does not fit to what is there.
    pub fn shipment(self) -> Result<Shipment, Corrupt> {
        let parcel = self.parcel()?;
        let refusal = self.reason.as_deref().map(Refusal::because);
        let state = match (self.status.as_str(), parcel, refusal) {
            ("SCHEDULED", Some(parcel), None) => ShipmentState::Scheduled(parcel),
            ("FAILED", None, Some(refusal)) => ShipmentState::Failed(refusal),
            ("CANCELLED", Some(parcel), None) => ShipmentState::Cancelled(Undone::Parcel(parcel)),
            ("CANCELLED", None, Some(refusal)) => {
                ShipmentState::Cancelled(Undone::Refused(refusal))
            }
            ("CANCELLED", None, None) => ShipmentState::Cancelled(Undone::Nothing),
            ("DISPATCHED", Some(parcel), None) => ShipmentState::Dispatched(parcel),
            ("DELIVERED", Some(parcel), None) => {
                let dispatched_at = present(self.dispatched_at)?.timestamp()?;
                ShipmentState::Delivered { parcel, dispatched_at }
            }
            (status, ..) => return Err(corrupt("shipment")(status)),
        };
        let decided_at = self.decided_at.timestamp()?;
        Ok(Shipment { order_id: OrderId(self.order_id), state, decided_at })
    }

    /// What the shipping service says of the order.
    pub fn record(self) -> Record<ShipmentRecord> {
        record(self.order_id, self.shipment().map(|shipment| (&shipment).into()))
    }

    fn parcel(&self) -> Result<Option<Parcel>, Corrupt> {
        let Some(tracking_code) = self.tracking_code.clone() else { return Ok(None) };
        let currency =
            Currency::read(present(self.currency.as_deref())?).map_err(corrupt("currency"))?;
        let priority = match present(self.priority.as_deref())? {
            STANDARD => Priority::Standard,
            EXPRESS => Priority::Express,
            other => return Err(corrupt("priority")(other)),
        };
        let address = self.address.as_deref().map(|address| from_json("address", address));
        let scheduled = ShipmentScheduled {
            tracking_code,
            freight: Money { minor: present(self.freight_minor)?, currency },
            estimated_delivery: present(self.estimated_delivery)?.timestamp()?,
        };
        Ok(Some(Parcel {
            scheduled,
            units: count(present(self.units)?)?,
            priority,
            address: address.transpose()?,
        }))
    }
}

/// A column that is filled in wherever there is a parcel.
fn present<T>(column: Option<T>) -> Result<T, Corrupt> {
    column.ok_or("a required column is NULL").map_err(corrupt("parcel"))
}
