//! The values that the tests write: times, keys, and texts that are easily written wrong.

use ordermill_actors::testing::{CountedIds, TokioClock};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, Origin, Plan};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use uuid::Uuid;

/// A text with whatever has a meaning in SQL, in JSON, in patterns, in arrays or in UTF-8.
pub const AWKWARD: &str = "é \"q\" 'x'; DROP TABLE orders; -- \\ \\u0041 %_ {1,\"2\"} $1 ?1 :a \u{1F600} \
     \u{7f}\t\n\r\u{202e}\u{feff} NULL null \u{10ffff}";

/// A world whose ids are no other test's.
pub fn world() -> World {
    static IDS: LazyLock<Arc<CountedIds>> = LazyLock::new(Arc::default);
    World { clock: Arc::new(TokioClock::default()), ids: IDS.clone() }
}

/// The nth order.
pub fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 7))
}

/// Where the nth order's messages come from.
pub fn origin(n: u128) -> Origin {
    Origin::new(order(n), Flow::default(), Plan::default())
}

/// A time with all the digits that a store keeps: whole microseconds.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds, 123_456_000)
}

/// The same time with more digits than any store keeps.
pub fn finer(seconds: u64) -> Timestamp {
    at(seconds) + Duration::from_nanos(789)
}
