//! New keys, of the operating system's randomness.

use anyhow::Context;
use ordermill_domain::access::ApiKey;

/// Bytes that are taken at a time: a key needs 40, and a few more where some do not fit.
const BYTES: usize = 64;

/// A new key.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn new_key() -> anyhow::Result<ApiKey> {
    let mut failed = None;
    let (mut bytes, mut left) = ([0; BYTES], 0);
    let key = ApiKey::generate(|| {
        if left == 0 {
            if let Err(error) = getrandom::fill(&mut bytes) {
                // A key of zeros ends the loop, and is thrown away below.
                bytes = [0; BYTES];
                failed = Some(error);
            }
            left = BYTES;
        }
        left -= 1;
        bytes[left]
    });
    match failed {
        None => Ok(key),
        Some(error) => Err(error).context("the operating system has no random bytes"),
    }
}
