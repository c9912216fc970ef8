//! The payment methods that the fake offers, and what Midtrans documents of each.

use strum::{IntoStaticStr, VariantArray};

/// A payment method, by Midtrans' `payment_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PaymentType {
    /// A card.
    CreditCard,
    /// The GoPay wallet.
    Gopay,
    /// The ShopeePay wallet.
    Shopeepay,
    /// A QR code of any wallet.
    Qris,
    /// A virtual account at a bank.
    BankTransfer,
    /// Mandiri Bill.
    Echannel,
    /// The counter of a convenience store.
    Cstore,
    /// The OVO wallet.
    Ovo,
    /// The DANA wallet.
    Dana,
}

/// What can be given back by API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refundable {
    /// Nothing.
    Nothing,
    /// The whole amount only.
    Whole,
    /// Any part.
    Parts,
}

impl PaymentType {
    /// Every method.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name in Midtrans' bodies.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The method of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.as_str() == name)
    }

    /// What can be given back by API.
    pub const fn refundable(self) -> Refundable {
        match self {
            Self::BankTransfer | Self::Echannel | Self::Cstore => Refundable::Nothing,
            Self::Shopeepay | Self::Ovo => Refundable::Whole,
            Self::CreditCard | Self::Gopay | Self::Qris | Self::Dana => Refundable::Parts,
        }
    }

    /// True when a settlement may still become `deny` within some minutes.
    pub const fn is_reversible(self) -> bool {
        matches!(self, Self::BankTransfer | Self::Echannel | Self::Cstore)
    }

    /// True when bodies of this method have a `fraud_status`.
    pub const fn has_fraud_status(self) -> bool {
        !matches!(self, Self::Cstore)
    }

    /// True when `enabled_payments` names this method, under any of its names. An empty list names all.
    pub fn is_enabled_by(self, enabled: &[String]) -> bool {
        let is_named = |name: &String| match self {
            Self::BankTransfer => name == "bank_transfer" || name.ends_with("_va"),
            Self::Cstore => ["cstore", "indomaret", "alfamart"].contains(&name.as_str()),
            Self::Qris => ["qris", "other_qris"].contains(&name.as_str()),
            _ => name == self.as_str(),
        };
        enabled.is_empty() || enabled.iter().any(is_named)
    }
}
