//! What each gateway can do: which methods it has, which of them it can refund by API, and in what unit it moves money.
//!
//! | Midtrans' method | refund by API |
//! |---|---|
//! | `credit_card`, `gopay`, `qris` | in parts |
//! | `shopeepay` | of the whole only |
//! | `bank_transfer`, `echannel`, `cstore` | none |

use super::provider::Provider;
use crate::money::{Currency, Money};

/// How far a gateway can refund a method by API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundAbility {
    /// Not at all: a person has to give the money back.
    None,
    /// All that was captured, at once.
    Whole,
    /// Any amount, until all is given back.
    Parts,
}

/// What a gateway can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Its methods. None: it takes every method that Ordermill is configured to take.
    methods: Option<&'static [(&'static str, RefundAbility)]>,
    /// True when it moves no fraction of the currency's main unit (Midtrans: whole rupiah).
    whole_units_only: bool,
}

/// Midtrans' methods, by the names of Snap's `enabled_payments`.
const MIDTRANS_METHODS: &[(&str, RefundAbility)] = &[
    ("credit_card", RefundAbility::Parts),
    ("gopay", RefundAbility::Parts),
    ("shopeepay", RefundAbility::Whole),
    ("qris", RefundAbility::Parts),
    ("bank_transfer", RefundAbility::None),
    ("echannel", RefundAbility::None),
    ("cstore", RefundAbility::None),
];

impl Provider {
    /// What it can do.
    pub const fn abilities(self) -> Abilities {
        match self {
            Self::Simulated => Abilities { methods: None, whole_units_only: false },
            Self::Midtrans => Abilities { methods: Some(MIDTRANS_METHODS), whole_units_only: true },
        }
    }
}

impl Abilities {
    /// True when it has this method.
    pub fn takes(&self, method: &str) -> bool {
        self.methods.is_none_or(|methods| methods.iter().any(|(name, _)| *name == method))
    }

    /// How far it can refund a method. A gateway that takes every method can refund each in parts; a method that a
    /// gateway does not have cannot be refunded.
    pub fn refund(&self, method: &str) -> RefundAbility {
        let Some(methods) = self.methods else { return RefundAbility::Parts };
        let known = methods.iter().find(|(name, _)| *name == method);
        known.map_or(RefundAbility::None, |(_, ability)| *ability)
    }

    /// Its methods by name; None when it takes every method.
    pub fn methods(&self) -> Option<Vec<&'static str>> {
        self.methods.map(|methods| methods.iter().map(|(name, _)| *name).collect())
    }

    /// The smallest amount that it moves, in minor units: every amount is a multiple of it.
    pub fn unit_minor(&self, currency: Currency) -> i64 {
        if self.whole_units_only { 10_i64.pow(currency.decimals()) } else { 1 }
    }

    /// True when it can move exactly this amount.
    pub fn can_move(&self, amount: Money) -> bool {
        amount.minor % self.unit_minor(amount.currency) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midtrans_has_its_own_methods_and_moves_whole_rupiah() {
        let midtrans = Provider::Midtrans.abilities();
        assert!(midtrans.takes("cstore"));
        for other in ["card", "paypal", "test_declined", "GOPAY", ""] {
            assert!(!midtrans.takes(other), "{other}");
        }
        assert_eq!(midtrans.refund("gopay"), RefundAbility::Parts);
        assert_eq!(midtrans.refund("shopeepay"), RefundAbility::Whole);
        assert_eq!(midtrans.refund("bank_transfer"), RefundAbility::None);
        assert_eq!(midtrans.refund("paypal"), RefundAbility::None);
        let rupiah = Currency::parse("IDR").unwrap();
        assert_eq!(midtrans.unit_minor(rupiah), 100);
        assert!(midtrans.can_move(Money::parse("145000", rupiah).unwrap()));
        assert!(!midtrans.can_move(Money::parse("145000.50", rupiah).unwrap()));
    }

    #[test]
    fn the_simulated_gateway_takes_what_ordermill_takes() {
        let simulated = Provider::Simulated.abilities();
        assert!(simulated.takes("paypal") && simulated.takes("test_declined"));
        assert_eq!(simulated.refund("paypal"), RefundAbility::Parts);
        assert_eq!(simulated.methods(), None);
        assert!(simulated.can_move(Money::parse("0.01", Currency::USD).unwrap()));
    }
}
