//! All keys of a system, and who is authenticated by them.

use super::{ApiKey, KeyHolder, KeyId, KeyRecord, KeyStatus, ParseKeyError, Role};
use crate::clock::Timestamp;
use std::collections::HashMap;
use thiserror::Error;

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The key that the request came with.
    pub key: KeyId,
    /// Whom it stands for.
    pub holder: KeyHolder,
}

impl Principal {
    /// The role.
    pub fn role(&self) -> Role {
        self.holder.role()
    }
}

/// Why a key authenticates nobody. What only the key's owner may know is said once the hash agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthenticationError {
    /// It is no key.
    #[error("{0}")]
    Malformed(#[from] ParseKeyError),
    /// Nobody has made it.
    #[error("the API key is unknown")]
    Unknown,
    /// Its time is over.
    #[error("the API key has expired; ask for a new one")]
    Expired,
    /// Somebody has ended it.
    #[error("the API key has been revoked; ask for a new one")]
    Revoked,
}

/// All keys that have ever existed.
#[derive(Clone, Debug, Default)]
pub struct KeySet(HashMap<KeyId, KeyRecord>);

impl KeySet {
    /// A set of these keys.
    pub fn new(records: impl IntoIterator<Item = KeyRecord>) -> Self {
        Self(records.into_iter().map(|record| (record.id.clone(), record)).collect())
    }

    /// True when no key has ever existed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who sends a key.
    ///
    /// # Errors
    /// When it is not accepted now.
    pub fn authenticate(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let key = ApiKey::parse(text)?;
        let record = self.0.get(&key.id()).filter(|record| record.hash == key.hash());
        let record = record.ok_or(AuthenticationError::Unknown)?;
        match record.status(now) {
            KeyStatus::Active => {
                Ok(Principal { key: record.id.clone(), holder: record.holder.clone() })
            }
            KeyStatus::Expired => Err(AuthenticationError::Expired),
            KeyStatus::Revoked => Err(AuthenticationError::Revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyHolderError, Revocation};
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn key(byte: u8) -> ApiKey {
        ApiKey::generate(|| byte)
    }

    fn record(key: &ApiKey, expires_at: Option<Timestamp>) -> KeyRecord {
        let holder = KeyHolder::new(Role::Customer, Some("anna".to_owned())).unwrap();
        KeyRecord::new(key, holder, String::new(), expires_at, at(0), "test".to_owned())
    }

    #[test]
    fn a_key_is_good_until_it_expires_or_is_revoked() {
        let (lasting, expiring, ended) = (key(1), key(2), key(3));
        let revoked = Some(Revocation { at: at(5), reason: "lost".to_owned() });
        let keys = KeySet::new([
            record(&lasting, None),
            record(&expiring, Some(at(10))),
            KeyRecord { revoked, ..record(&ended, Some(at(10))) },
        ]);
        let sent = |key: &ApiKey, now| {
            keys.authenticate(key.expose(), at(now)).map(|principal| principal.holder)
        };
        let anna = KeyHolder::new(Role::Customer, Some("anna".to_owned())).unwrap();
        assert_eq!(sent(&lasting, 1_000_000), Ok(anna.clone()));
        assert_eq!(sent(&expiring, 9), Ok(anna));
        assert_eq!(sent(&expiring, 10), Err(AuthenticationError::Expired));
        assert_eq!(sent(&ended, 20), Err(AuthenticationError::Revoked));
        assert_eq!(sent(&key(4), 0), Err(AuthenticationError::Unknown));
        let malformed = AuthenticationError::Malformed(ParseKeyError::Prefix);
        assert_eq!(keys.authenticate("x", at(0)), Err(malformed));
    }

    #[test]
    fn a_key_with_the_id_of_another_is_unknown_even_when_that_one_has_ended() {
        let mut bytes = [1; 40];
        let stored = ApiKey::generate({
            let mut bytes = bytes.into_iter();
            move || bytes.next().unwrap()
        });
        bytes[39] = 2;
        let mut bytes = bytes.into_iter();
        let forged = ApiKey::generate(move || bytes.next().unwrap());
        assert_eq!(stored.id(), forged.id());
        let keys = KeySet::new([record(&stored, Some(at(1)))]);
        let answer = keys.authenticate(forged.expose(), at(5));
        assert_eq!(answer, Err(AuthenticationError::Unknown));
    }

    #[test]
    fn a_successor_has_the_holder_and_lasts_as_long() {
        let old = record(&key(1), Some(at(0) + TimeDelta::days(90)));
        let new = old.successor(&key(2), at(50), "test".to_owned());
        assert_eq!((new.holder.clone(), new.revoked.clone()), (old.holder, None));
        assert_eq!(new.expires_at, Some(at(50) + TimeDelta::days(90)));
        assert_ne!(new.hash, old.hash);
    }

    #[test]
    fn a_customer_has_an_id_and_nobody_else_has_one() {
        let holder = |role, customer: Option<&str>| {
            KeyHolder::new(role, customer.map(str::to_owned)).map(|holder| holder.role())
        };
        assert_eq!(holder(Role::Customer, None), Err(KeyHolderError::CustomerMissing));
        assert_eq!(holder(Role::Customer, Some("")), Err(KeyHolderError::CustomerMalformed));
        assert_eq!(holder(Role::Customer, Some("a\nb")), Err(KeyHolderError::CustomerMalformed));
        assert_eq!(holder(Role::Admin, Some("anna")), Err(KeyHolderError::CustomerUnexpected));
        assert_eq!(holder(Role::Admin, None), Ok(Role::Admin));
    }
}
