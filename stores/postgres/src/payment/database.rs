//! The payment service's database, as its readers see it.

use crate::database::Database;

/// The payment service's database, as its readers see it: one for payments, and for notifications.
#[derive(Clone, Debug)]
pub struct PaymentDatabase(pub Database);
