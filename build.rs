//! Passes on what the binary was built from (`src/version.rs`). It asks no Git: images and releases are built from
//! trees without one.

use std::env::var;

fn main() {
    // The name of a commit is hexadecimal; what else was set is not worth an error here.
    let commit = var("ORDERMILL_COMMIT").unwrap_or_default();
    let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let commit = if is_commit { commit.as_str() } else { "unknown" };
    let of_cargo = |name| var(name).expect("Cargo sets it for build scripts");
    println!("cargo::rustc-env=ORDERMILL_COMMIT={commit}");
    println!("cargo::rustc-env=ORDERMILL_PROFILE={}", of_cargo("PROFILE"));
    println!("cargo::rustc-env=ORDERMILL_TARGET={}", of_cargo("TARGET"));
    println!("cargo::rerun-if-env-changed=ORDERMILL_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
}
