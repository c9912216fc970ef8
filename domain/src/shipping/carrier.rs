//! The simulated carrier: what it says of an order is always the same.

use super::ShippingPolicy;
use crate::ids::OrderId;
use crate::messages::{Address, Priority};
use chrono::TimeDelta;
use uuid::Uuid;

/// The postal code of the address that no carrier finds: a parcel to it is refused as
/// `undeliverable`. For tests and demonstrations.
pub const UNDELIVERABLE_POSTAL_CODE: &str = "TEST-UNDELIVERABLE";

/// The fastest delivery, and express's.
const DAYS_MIN: i64 = 3;
/// The slowest delivery.
const DAYS_MAX: i64 = 7;

/// Characters after `TRK-`: enough that codes of a million orders hardly ever meet.
const CODE_LENGTH: u32 = 8;
const CODE_ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How many values a [`draw`] can have.
const DRAW_RANGE: u64 = 1 << 48;

/// A number that follows from the order and what it is for, evenly spread over [`DRAW_RANGE`].
fn draw(order: OrderId, purpose: &str) -> u64 {
    // Of a UUIDv5 (a SHA-1) the first six bytes are the digest's own.
    let digest = Uuid::new_v5(&order.0, purpose.as_bytes());
    digest.as_bytes()[..6].iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The code under which the parcel is followed.
pub(super) fn tracking_code(order: OrderId) -> String {
    let mut rest = draw(order, "shipping.tracking_code") % 36_u64.pow(CODE_LENGTH);
    let mut code = String::from("TRK-");
    for _ in 0..CODE_LENGTH {
        code.push(char::from(CODE_ALPHABET[(rest % 36) as usize]));
        rest /= 36;
    }
    code
}

/// How long the parcel will be under way.
pub(super) fn transit(order: OrderId, priority: Priority) -> TimeDelta {
    let days = match priority {
        Priority::Express => DAYS_MIN,
        Priority::Standard => {
            let spread = (DAYS_MAX - DAYS_MIN + 1).unsigned_abs();
            DAYS_MIN + (draw(order, "shipping.transit") % spread).cast_signed()
        }
    };
    TimeDelta::days(days)
}

/// Why the carrier does not take the parcel, if it does not.
pub(super) fn refusal(
    policy: &ShippingPolicy,
    order: OrderId,
    address: Option<&Address>,
) -> Option<&'static str> {
    let postal_code = address.and_then(|address| address.postal_code.as_deref());
    if postal_code == Some(UNDELIVERABLE_POSTAL_CODE) {
        return Some("undeliverable");
    }
    // Exact: both are below 2^53.
    let share = draw(order, "shipping.carrier") as f64 / DRAW_RANGE as f64;
    (share < policy.failure_rate).then_some("carrier_failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> impl Iterator<Item = OrderId> {
        (0..10_000).map(|n| OrderId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + n)))
    }

    fn refused(failure_rate: f64) -> usize {
        let policy = ShippingPolicy { failure_rate, ..ShippingPolicy::default() };
        orders().filter(|order| refusal(&policy, *order, None).is_some()).count()
    }

    #[test]
    fn the_failure_rate_is_the_share_of_orders() {
        assert_eq!(refused(0.0), 0);
        assert_eq!(refused(1.0), 10_000);
        assert!((1_850..2_150).contains(&refused(0.2)), "{}", refused(0.2));
    }

    #[test]
    fn a_parcel_is_three_to_seven_days_under_way() {
        let mut seen = [0; 8];
        for order in orders() {
            seen[transit(order, Priority::Standard).num_days() as usize] += 1;
            assert_eq!(transit(order, Priority::Express).num_days(), 3);
        }
        assert_eq!(seen[..3], [0; 3]);
        assert!(seen[3..].iter().all(|count| *count > 1_800), "{seen:?}");
    }

    #[test]
    fn a_tracking_code_is_the_orders_own() {
        let codes: std::collections::BTreeSet<_> = orders().map(tracking_code).collect();
        assert_eq!(codes.len(), 10_000);
        for code in codes {
            let letters = code.strip_prefix("TRK-").unwrap();
            assert_eq!(letters.len(), 8);
            assert!(letters.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        }
    }

    #[test]
    fn the_test_address_is_found_by_no_carrier() {
        let nowhere = Address {
            postal_code: Some(UNDELIVERABLE_POSTAL_CODE.to_owned()),
            ..Address::default()
        };
        let order = orders().next().unwrap();
        let policy = ShippingPolicy::default();
        assert_eq!(refusal(&policy, order, Some(&nowhere)), Some("undeliverable"));
        assert_eq!(refusal(&policy, order, Some(&Address::default())), None);
    }
}
