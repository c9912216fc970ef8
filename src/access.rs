//! Who may use this server: API keys, read from their store, and what a request's key stands for.
//!
//! ```text
//! access.db, or schema access ──(every 5 s)──▶ Keys ──▶ Lock: Unread, Open, Locked
//! request: Authorization, X-API-Key ──▶ Keys::caller ──▶ Caller ──(permission of the route)──▶ handler, or 401, 403, 503
//! ```
//!
//! | lock | when | a request |
//! |---|---|---|
//! | open | no key has ever existed, and only this machine can reach the server (or `--insecure`) | may do everything |
//! | locked | otherwise | needs a key; 401 without |
//! | unread | the keys could not be read yet | 503 |
//!
//! Keys that were read once stay in force while the store is unavailable.

mod caller;
mod keys;
mod place;
mod random;

pub use caller::{Caller, Denial};
pub use keys::{Keys, NoCredentials};
pub use place::KeyPlace;
pub use random::new_key;
