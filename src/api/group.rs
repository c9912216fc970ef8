//! The groups of operations in the API description.

use poem_openapi::Tags;

/// The groups of the document.
#[derive(Tags)]
pub enum Group {
    /// Orders: place, list, follow, cancel, dispatch and deliver them.
    Orders,
    /// Stock.
    Inventory,
    /// Records of the payment, shipping, notification and audit services.
    Records,
    /// Administration: sagas, actors, dead letters, queues, backup, reconciliation.
    Admin,
    /// Probes and metrics.
    Operations,
}
