//! API keys in memory: the model that stores are compared with.

use super::KeyStore;
use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::access::{KeyId, KeyRecord, Revocation};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// API keys in memory.
#[derive(Debug, Default)]
pub struct KeyMemory {
    keys: Mutex<Vec<KeyRecord>>,
}

impl KeyMemory {
    fn locked(&self) -> MutexGuard<'_, Vec<KeyRecord>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(keys: &mut Vec<KeyRecord>, key: &KeyRecord) -> Result<(), ReadError> {
    if keys.iter().any(|other| other.id == key.id) {
        return Err(ReadError::Unreadable(format!("the id {} is taken", key.id)));
    }
    keys.push(key.clone());
    keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(())
}

fn revoke(keys: &mut [KeyRecord], id: &KeyId, revocation: &Revocation) -> bool {
    let active = keys.iter_mut().find(|key| key.id == *id && key.revoked.is_none());
    active.map(|key| key.revoked = Some(revocation.clone())).is_some()
}

#[async_trait]
impl KeyStore for KeyMemory {
    async fn keys(&self) -> Result<Vec<KeyRecord>, ReadError> {
        Ok(self.locked().clone())
    }

    async fn add(&self, key: &KeyRecord) -> Result<(), ReadError> {
        add(&mut self.locked(), key)
    }

    async fn revoke(&self, id: &KeyId, revocation: &Revocation) -> Result<bool, ReadError> {
        Ok(revoke(&mut self.locked(), id, revocation))
    }

    async fn replace(
        &self,
        id: &KeyId,
        revocation: &Revocation,
        successor: &KeyRecord,
    ) -> Result<bool, ReadError> {
        let mut keys = self.locked();
        let mut changed = keys.clone();
        if !revoke(&mut changed, id, revocation) {
            return Ok(false);
        }
        add(&mut changed, successor)?;
        *keys = changed;
        Ok(true)
    }
}
