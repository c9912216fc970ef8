//! Versions of messages: in a rolling upgrade, each version reads what the other writes (docs/MESSAGING.md,
//! "Versions"). Of each release, `versions/<release>` has the schemas of what it writes and reads, and messages as
//! it wrote them.

#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

mod versions {
    mod fields;
    mod since_0_2_0;
}
