//! Who may do what: roles, permissions, and the API keys that stand for them.
//!
//! ```text
//! text of a key ──▶ ApiKey::parse ──▶ KeySet::authenticate ──▶ Principal
//!                   format, checksum  hash, expiry, revoked     │
//!                        Permission::of_role(role) ──▶ Grant: None, Own, All
//! ```
//!
//! What no line of [`Permission::of_role`] grants is denied.

mod api_key;
mod key_record;
mod key_set;
mod permission;
mod role;

pub use api_key::{ApiKey, KeyHash, KeyId, ParseKeyError};
pub use key_record::{KeyHolder, KeyHolderError, KeyRecord, KeyStatus, NAME_CHARS_MAX, Revocation};
pub use key_set::{AuthenticationError, KeySet, Principal};
pub use permission::{Grant, Permission};
pub use role::Role;
