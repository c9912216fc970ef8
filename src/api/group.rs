//! The groups of operations in the API description.

use poem_openapi::Tags;

/// The groups of the document.
#[derive(Tags)]
pub enum Group {
    /// Orders: placing them, following them, asking things of them.
    Orders,
    /// Stock.
    Inventory,
    /// What payment, shipping, notification and audit have of an order.
    Records,
    /// For operators: sagas, actors, dead letters, queues.
    Admin,
    /// For machines: health, readiness, metrics.
    Operations,
}
