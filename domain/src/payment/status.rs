//! The words for where a payment stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The word for where a payment stands, in answers and lists.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// The gateway has not answered yet.
    Pending,
    /// The customer can pay at a page.
    AwaitingCustomer,
    /// Someone has to accept or deny the payment.
    InReview,
    /// The money is held and not captured.
    Authorized,
    /// The money is captured.
    Approved,
    /// A part of the captured money is given back.
    PartiallyRefunded,
    /// All captured money is given back, and the order goes on.
    Refunded,
    /// The gateway refused.
    Failed,
    /// Nobody paid in time.
    Expired,
    /// The money is gone after it was there.
    Lapsed,
    /// The money is on its way back.
    Reversing,
    /// No money is held.
    Reversed,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
