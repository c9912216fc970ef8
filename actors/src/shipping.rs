//! Shipping: schedules parcels, dispatches them, notes their delivery.
