//! What the torture is told by `scripts/torture`, or by default: a short one.

use super::kind::Kind;
use std::env::VarError;
use std::time::Duration;

/// How long, what, and by which chance.
pub struct Orders {
    /// For how long. None: each kind once, and a few kills.
    pub lasts: Option<Duration>,
    /// Where chance begins.
    pub seed: u64,
    /// What may happen.
    pub kinds: Vec<Kind>,
}

impl Orders {
    /// What stands in `ORDERMILL_TORTURE_MINUTES`, `_SEED` and `_KINDS`, of these kinds.
    pub fn of(all: Vec<Kind>) -> Self {
        let wanted = told("KINDS").unwrap_or_default();
        let wanted: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
        let is_wanted = |kind: &Kind| {
            wanted.is_empty() || wanted.iter().any(|name| kind.name().starts_with(name))
        };
        let names: Vec<_> = all.iter().map(|kind| kind.name()).collect();
        let kinds: Vec<_> = all.into_iter().filter(is_wanted).collect();
        assert!(!kinds.is_empty(), "{wanted:?} is no kind; there are {}", names.join(", "));
        let number = |name| told(name).map(|text| text.parse().expect("a number"));
        Self {
            lasts: number("MINUTES").map(|minutes: u64| Duration::from_secs(60 * minutes)),
            seed: number("SEED").unwrap_or(0x70C7),
            kinds,
        }
    }
}

fn told(name: &str) -> Option<String> {
    match std::env::var(format!("ORDERMILL_TORTURE_{name}")) {
        Ok(text) => Some(text).filter(|text| !text.is_empty()),
        Err(VarError::NotPresent) => None,
        Err(error) => panic!("ORDERMILL_TORTURE_{name}: {error}"),
    }
}
