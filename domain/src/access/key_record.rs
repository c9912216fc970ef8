//! What is stored of an API key.

use super::{ApiKey, KeyHash, KeyId, Role};
use crate::clock::Timestamp;
use thiserror::Error;

/// Characters of a key's name, and of the name of its customer.
pub const NAME_CHARS_MAX: usize = 128;

/// Whom a key stands for: a role, and for a customer which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    role: Role,
    customer: Option<String>,
}

/// Why a role and a customer do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyHolderError {
    /// A customer's key without a customer.
    #[error("the role `customer` requires the customer's id")]
    CustomerMissing,
    /// Another key with one.
    #[error("only the role `customer` has a customer's id")]
    CustomerUnexpected,
    /// The id of the customer is empty or too long.
    #[error(
        "the customer's id must have 1 to {NAME_CHARS_MAX} characters, none of them a control character"
    )]
    CustomerMalformed,
}

impl KeyHolder {
    /// A holder. The role `customer` has a customer, and no other has one.
    ///
    /// # Errors
    /// When they do not go together.
    pub fn new(role: Role, customer: Option<String>) -> Result<Self, KeyHolderError> {
        match (role, &customer) {
            (Role::Customer, None) => Err(KeyHolderError::CustomerMissing),
            (Role::Customer, Some(id)) if !is_name(id) => Err(KeyHolderError::CustomerMalformed),
            (Role::Customer, Some(_)) | (_, None) => Ok(Self { role, customer }),
            (_, Some(_)) => Err(KeyHolderError::CustomerUnexpected),
        }
    }

    /// The role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The customer, of the role `customer` only.
    pub fn customer(&self) -> Option<&str> {
        self.customer.as_deref()
    }
}

fn is_name(text: &str) -> bool {
    let chars = text.chars().count();
    (1..=NAME_CHARS_MAX).contains(&chars) && !text.chars().any(char::is_control)
}

/// The end of a key before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What is stored of a key. It is never deleted: once a key has existed, a server stays locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub id: KeyId,
    /// The hash of its text.
    pub hash: KeyHash,
    /// Whom it stands for.
    pub holder: KeyHolder,
    /// What people call it; may be empty.
    pub name: String,
    /// Until when it is good; None: until it is revoked.
    pub expires_at: Option<Timestamp>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Who has made it: `command line`, or the id of a key.
    pub created_by: String,
    /// Set once it is revoked.
    pub revoked: Option<Revocation>,
}

/// Whether a key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody has ended it.
    Revoked,
}

impl KeyStatus {
    /// Every status.
    pub const ALL: &[Self] = &[Self::Active, Self::Expired, Self::Revoked];

    /// The status's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyRecord {
    /// The record of a new key.
    pub fn new(
        key: &ApiKey,
        holder: KeyHolder,
        name: String,
        expires_at: Option<Timestamp>,
        created_at: Timestamp,
        created_by: String,
    ) -> Self {
        let (id, hash) = (key.id(), key.hash());
        Self { id, hash, holder, name, expires_at, created_at, created_by, revoked: None }
    }

    /// The record of the key that takes the place of this one: the same holder and name, good for as long as this one
    /// was when it was new.
    pub fn successor(&self, key: &ApiKey, now: Timestamp, by: String) -> Self {
        let expires_at = self.expires_at.map(|expires| now + (expires - self.created_at));
        Self::new(key, self.holder.clone(), self.name.clone(), expires_at, now, by)
    }

    /// Whether it is accepted now. What is revoked stays so.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        match (&self.revoked, self.expires_at) {
            (Some(_), _) => KeyStatus::Revoked,
            (None, Some(expires)) if expires <= now => KeyStatus::Expired,
            (None, _) => KeyStatus::Active,
        }
    }
}
