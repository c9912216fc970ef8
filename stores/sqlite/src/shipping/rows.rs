//! Shipments as JSON parameters.

use crate::columns::micros;
use ordermill_domain::money::Currency;
use ordermill_domain::shipping::Shipment;
use ordermill_rows::shipping::{address, priority};
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
    priority: Option<&'static str>,
    address: Option<String>,
    dispatched_at: Option<i64>,
}

impl<'a> From<&'a Shipment> for InsertedShipment<'a> {
    fn from(shipment: &'a Shipment) -> Self {
        let parcel = shipment.state.parcel();
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
            priority: parcel.map(|parcel| priority(parcel.priority)),
            address: parcel.and_then(|parcel| parcel.address.as_ref()).map(address),
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
