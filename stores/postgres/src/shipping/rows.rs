//! Shipments as they stand in their table.

use crate::columns::count;
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, Priority, Refusal, ShipmentScheduled};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::shipping::{Parcel, Shipment, ShipmentState, Undone};
use uuid::Uuid;

/// An address, as it stands in its column.
pub fn address(address: &Address) -> String {
    serde_json::to_string(address).expect("an address contains only strings")
}

/// A priority, as it stands in its column.
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Standard => STANDARD,
        Priority::Express => EXPRESS,
    }
}

const STANDARD: &str = "standard";
const EXPRESS: &str = "express";

/// A row as it is read.
pub struct StoredShipment {
    pub order_id: Uuid,
    pub status: String,
    pub decided_at: Timestamp,
    pub reason: Option<String>,
    pub tracking_code: Option<String>,
    pub freight_minor: Option<i64>,
    pub currency: Option<String>,
    pub estimated_delivery: Option<Timestamp>,
    pub units: Option<i64>,
    pub priority: Option<String>,
    pub address: Option<String>,
    pub dispatched_at: Option<Timestamp>,
}

impl StoredShipment {
    /// The shipment that the row stands for.
    pub fn shipment(self) -> Result<Shipment, Error> {
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
                let dispatched_at = present(self.dispatched_at)?;
                ShipmentState::Delivered { parcel, dispatched_at }
            }
            (status, ..) => return Err(Error::corrupt("shipment")(status)),
        };
        Ok(Shipment { order_id: OrderId(self.order_id), state, decided_at: self.decided_at })
    }

    fn parcel(&self) -> Result<Option<Parcel>, Error> {
        let Some(tracking_code) = self.tracking_code.clone() else { return Ok(None) };
        let currency = Currency::read(present(self.currency.as_deref())?)
            .map_err(Error::corrupt("currency"))?;
        let priority = match present(self.priority.as_deref())? {
            STANDARD => Priority::Standard,
            EXPRESS => Priority::Express,
            other => return Err(Error::corrupt("priority")(other)),
        };
        let address = self.address.as_deref().map(serde_json::from_str).transpose();
        let scheduled = ShipmentScheduled {
            tracking_code,
            freight: Money { minor: present(self.freight_minor)?, currency },
            estimated_delivery: present(self.estimated_delivery)?,
        };
        Ok(Some(Parcel {
            scheduled,
            units: count(present(self.units)?)?,
            priority,
            address: address.map_err(Error::corrupt("address"))?,
        }))
    }
}

/// A column that is filled in wherever there is a parcel.
fn present<T>(column: Option<T>) -> Result<T, Error> {
    column.ok_or("a required column is NULL").map_err(Error::corrupt("parcel"))
}
