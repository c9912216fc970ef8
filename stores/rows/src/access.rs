//! API keys.

use crate::columns::StoredTime;
use crate::error::{Corrupt, corrupt};
use ordermill_domain::access::{KeyHash, KeyHolder, KeyId, KeyRecord, Revocation, Role};

/// A row of `api_keys`.
pub struct StoredKey<T> {
    pub id: String,
    pub hash: Vec<u8>,
    pub role: String,
    pub customer_id: Option<String>,
    pub name: String,
    pub expires_at: Option<T>,
    pub created_at: T,
    pub created_by: String,
    pub revoked_at: Option<T>,
    pub revoked_reason: Option<String>,
}

impl<T: StoredTime> StoredKey<T> {
    /// The key.
    ///
    /// # Errors
    ///
    /// When a column cannot be read: no key is taken for another, and none is left out.
    pub fn record(self) -> Result<KeyRecord, Corrupt> {
        let id = KeyId::parse(&self.id).ok_or(&self.id).map_err(corrupt("key id"))?;
        let hash = KeyHash::from_slice(&self.hash).ok_or(&self.id).map_err(corrupt("key hash"))?;
        let role = Role::named(&self.role).ok_or(&self.role).map_err(corrupt("role"))?;
        let holder = KeyHolder::new(role, self.customer_id).map_err(corrupt("key holder"))?;
        let revoked = match self.revoked_at {
            Some(at) => {
                let reason = self.revoked_reason.unwrap_or_default();
                Some(Revocation { at: at.timestamp()?, reason })
            }
            None => None,
        };
        Ok(KeyRecord {
            id,
            hash,
            holder,
            name: self.name,
            expires_at: self.expires_at.map(StoredTime::timestamp).transpose()?,
            created_at: self.created_at.timestamp()?,
            created_by: self.created_by,
            revoked,
        })
    }
}
