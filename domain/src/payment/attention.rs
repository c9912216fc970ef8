//! What a person should know, or has to do, about a payment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// What a person should know, or has to do, about a payment.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Attention {
    /// The gateway cannot give the money back: a person has to.
    RefundByHand,
    /// The gateway rejects to cancel the payment, and does not say why in a way that we understand.
    CancelRejected,
    /// Another amount than the order's came, and goes back.
    WrongAmount,
    /// Money came after the payment had ended, and goes back.
    LateMoney,
    /// More was captured than once, and goes back.
    CapturedTwice,
    /// The gateway refused a refund that somebody asked for: the customer still waits for the money.
    RefundRefused,
}

impl Attention {
    /// Every one.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True when nothing goes on before a person acts.
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::RefundByHand | Self::CancelRejected)
    }
}

impl fmt::Display for Attention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
