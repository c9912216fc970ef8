//! What this binary was built from. `build.rs` passes it on.

/// The version of the release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that the binary was built from: `ORDERMILL_COMMIT` of its build; `unknown` if that was not set.
pub const COMMIT: &str = env!("ORDERMILL_COMMIT");

/// The profile it was built with: `release` (also for profiles that inherit from it) or `debug`.
pub const PROFILE: &str = env!("ORDERMILL_PROFILE");

/// The platform it was built for, as `x86_64-unknown-linux-gnu`.
pub const TARGET: &str = env!("ORDERMILL_TARGET");

/// What `ordermill --version` prints below the name; `-V` prints the version alone.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit  ",
    env!("ORDERMILL_COMMIT"),
    "\nbuild   ",
    env!("ORDERMILL_PROFILE"),
    "\ntarget  ",
    env!("ORDERMILL_TARGET"),
);
