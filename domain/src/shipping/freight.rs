//! The freight of a parcel: the base, and 1.50 for each unit in it, in the order's currency.

use super::ShippingPolicy;
use crate::money::{AMOUNT_MAX_MINOR, Currency, Money};

/// The freight of a unit, in hundredths of the currency's unit.
const UNIT_HUNDREDTHS: i64 = 150;

/// The freight of a parcel, never above what is taken as an amount at all.
pub(super) fn freight(policy: &ShippingPolicy, units: u64, currency: Currency) -> Money {
    let units = i64::try_from(units).unwrap_or(i64::MAX);
    let hundredths =
        policy.base_cost_hundredths.saturating_add(units.saturating_mul(UNIT_HUNDREDTHS));
    let minor = match currency.decimals() {
        // No smaller coin than the unit: half a unit is rounded up.
        0 => hundredths.saturating_add(50) / 100,
        1 => hundredths.saturating_add(5) / 10,
        decimals => hundredths.saturating_mul(10_i64.saturating_pow(decimals - 2)),
    };
    Money { minor: minor.min(AMOUNT_MAX_MINOR), currency }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freight_is_counted_in_the_orders_currency() {
        let policy = ShippingPolicy { base_cost_hundredths: 505, failure_rate: 0.0 };
        let freight =
            |units, code| freight(&policy, units, Currency::parse(code).unwrap()).decimal();
        assert_eq!(freight(0, "USD"), "5.05");
        assert_eq!(freight(3, "USD"), "9.55");
        assert_eq!(freight(3, "JPY"), "10");
        assert_eq!(freight(3, "KWD"), "9.550");
        assert_eq!(freight(u64::MAX, "USD"), "10000000000000.00");
    }
}
