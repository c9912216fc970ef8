//! Shipments as they stand in their table.

use crate::columns::{count, micros, time};
use crate::error::Error;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Priority, Refusal, ShipmentScheduled};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::shipping::{Parcel, Shipment, ShipmentState, Undone};
use serde::Serialize;
use uuid::Uuid;

/// A row to add.
#[derive(Serialize)]
pub struct InsertedShipment<'a> {
    order_id: Uuid,
    status: &'static str,
    decided_at: i64,
    reason: Option<&'a str>,
    tracking_code: Option<&'a str>,
    freight_minor: Option<i64>,
    currency: Option<Currency>,
    estimated_delivery: Option<i64>,
    units: Option<u64>,
    priority: Option<Priority>,
    address: Option<String>,
    dispatched_at: Option<i64>,
}

impl<'a> From<&'a Shipment> for InsertedShipment<'a> {
    fn from(shipment: &'a Shipment) -> Self {
        let parcel = shipment.state.parcel();
        let address = parcel.and_then(|parcel| parcel.address.as_ref());
        Self {
            order_id: shipment.order_id.0,
            status: shipment.state.status().as_str(),
            decided_at: micros(shipment.decided_at),
            reason: shipment.state.refusal().map(|refusal| refusal.reason.as_str()),
            tracking_code: parcel.map(|parcel| parcel.scheduled.tracking_code.as_str()),
            freight_minor: parcel.map(|parcel| parcel.scheduled.freight.minor),
            currency: parcel.map(|parcel| parcel.scheduled.freight.currency),
            estimated_delivery: parcel.map(|parcel| micros(parcel.scheduled.estimated_delivery)),
            units: parcel.map(|parcel| parcel.units),
            priority: parcel.map(|parcel| parcel.priority),
            address: address.map(|address| {
                serde_json::to_string(address).expect("an address contains only strings")
            }),
            dispatched_at: shipment.dispatched_at().map(micros),
        }
    }
}

/// What changes of a row that is there.
#[derive(Serialize)]
pub struct UpdatedShipment {
    order_id: Uuid,
    status: &'static str,
    decided_at: i64,
    dispatched_at: Option<i64>,
}

impl From<&Shipment> for UpdatedShipment {
    fn from(shipment: &Shipment) -> Self {
        Self {
            order_id: shipment.order_id.0,
            status: shipment.state.status().as_str(),
            decided_at: micros(shipment.decided_at),
            dispatched_at: shipment.dispatched_at().map(micros),
        }
    }
}

/// A row as it is read.
pub struct StoredShipment {
    pub order_id: Uuid,
    pub status: String,
    pub decided_at: i64,
    pub reason: Option<String>,
    pub tracking_code: Option<String>,
    pub freight_minor: Option<i64>,
    pub currency: Option<String>,
    pub estimated_delivery: Option<i64>,
    pub units: Option<i64>,
    pub priority: Option<String>,
    pub address: Option<String>,
    pub dispatched_at: Option<i64>,
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
                let dispatched_at = time(present(self.dispatched_at)?)?;
                ShipmentState::Delivered { parcel, dispatched_at }
            }
            (status, ..) => return Err(Error::corrupt("shipment")(status)),
        };
        Ok(Shipment { order_id: OrderId(self.order_id), state, decided_at: time(self.decided_at)? })
    }

    fn parcel(&self) -> Result<Option<Parcel>, Error> {
        let Some(tracking_code) = self.tracking_code.clone() else { return Ok(None) };
        let currency = Currency::read(present(self.currency.as_deref())?)
            .map_err(Error::corrupt("currency"))?;
        let priority = match present(self.priority.as_deref())? {
            "standard" => Priority::Standard,
            "express" => Priority::Express,
            other => return Err(Error::corrupt("priority")(other)),
        };
        let address = self.address.as_deref().map(serde_json::from_str).transpose();
        let scheduled = ShipmentScheduled {
            tracking_code,
            freight: Money { minor: present(self.freight_minor)?, currency },
            estimated_delivery: time(present(self.estimated_delivery)?)?,
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
