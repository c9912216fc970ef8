//! The port to the store of API keys.

#[cfg(any(test, feature = "testing"))]
mod memory;

#[cfg(any(test, feature = "testing"))]
pub use memory::KeyMemory;

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::access::{KeyId, KeyRecord, Revocation};

/// Where API keys are kept. Every process of a system uses the same store at any time, also beside a running server.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Every key that has ever existed, oldest first. A store that nobody has written to is empty, and reading does not
    /// create it.
    async fn keys(&self) -> Result<Vec<KeyRecord>, ReadError>;

    /// Adds a key. When this returns, it is on disk.
    async fn add(&self, key: &KeyRecord) -> Result<(), ReadError>;

    /// Ends a key. False: there is none of this id that is not revoked already, and nothing is changed.
    async fn revoke(&self, id: &KeyId, revocation: &Revocation) -> Result<bool, ReadError>;

    /// Ends a key and adds its successor, both or neither. False as for [`revoke`](Self::revoke).
    async fn replace(
        &self,
        id: &KeyId,
        revocation: &Revocation,
        successor: &KeyRecord,
    ) -> Result<bool, ReadError>;
}
