//! /admin/keys: API keys, for administrators.
//!
//! The first key is never created here: as long as the server is open, whoever reached it first would own it.

use crate::access::{Caller, new_key};
use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::validate;
use crate::api::word::Word;
use crate::keys::{Lifetime, rotate};
use ordermill_actors::access::KeyStore;
use ordermill_domain::access::{
    ApiKey, KeyHolder, KeyId, KeyRecord, KeyStatus, NAME_CHARS_MAX, Revocation, Role,
};
use ordermill_domain::clock::Timestamp;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;
use std::sync::Arc;

/// Characters of the reason of a revocation.
const REASON_CHARS_MAX: usize = 500;

const FIRST: &str = "the first API key is not created over HTTP; run `ordermill keys create --role admin` where \
     the server's data are";
const UNKNOWN: &str = "there is no such API key, or it is revoked already";

/// An API key, without its secret.
#[derive(Object)]
struct KeyView {
    /// The id, a public part of the key.
    id: String,
    /// The role.
    role: Word<Role>,
    /// The customer that it belongs to, for the role `customer`.
    customer_id: Option<String>,
    /// Whether it is accepted.
    status: Word<KeyStatus>,
    /// What people call it; may be empty.
    name: String,
    /// Since when it exists.
    created_at: Time,
    /// Who has created it: `command line`, or the id of a key.
    created_by: String,
    /// Until when it is accepted; null: until it is revoked.
    expires_at: Option<Time>,
    /// When it was revoked.
    revoked_at: Option<Time>,
    /// Why it was revoked.
    revoked_reason: Option<String>,
}

impl KeyView {
    fn of(record: KeyRecord, now: Timestamp) -> Self {
        let status = record.status(now).into();
        let (revoked_at, revoked_reason) =
            record.revoked.map(|revoked| (revoked.at.into(), revoked.reason)).unzip();
        Self {
            id: record.id.to_string(),
            role: record.holder.role().into(),
            customer_id: record.holder.customer().map(str::to_owned),
            status,
            name: record.name,
            created_at: record.created_at.into(),
            created_by: record.created_by,
            expires_at: record.expires_at.map(Time::from),
            revoked_at,
            revoked_reason,
        }
    }
}

/// All API keys, oldest first, also expired and revoked ones.
#[derive(Object)]
struct KeyList {
    /// The keys.
    keys: Vec<KeyView>,
}

/// A new API key.
#[derive(Deserialize, Object)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// The role.
    role: Word<Role>,
    /// The customer that it belongs to; required for the role `customer`, and only there.
    customer_id: Option<String>,
    /// What people call it.
    name: Option<String>,
    /// How long it is accepted, for example `90d`. Default: until it is revoked.
    expires_in: Option<String>,
}

/// A new API key, and its secret.
#[derive(Object)]
struct CreatedKeyView {
    /// The key itself. Only its hash is stored: it is not shown again.
    api_key: String,
    /// What is stored of it.
    key: KeyView,
}

/// A key is created.
#[derive(ApiResponse)]
enum Created {
    /// Created.
    #[oai(status = 201)]
    Key(Json<CreatedKeyView>),
}

/// A key is revoked.
#[derive(ApiResponse)]
enum Revoked {
    /// Revoked.
    #[oai(status = 204)]
    Done,
}

/// The routes.
pub struct KeysApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl KeysApi {
    /// List all API keys
    ///
    /// Oldest first, also expired and revoked ones, without their secrets.
    #[oai(path = "/admin/keys", method = "get")]
    async fn keys(&self) -> Result<Json<KeyList>, Problem> {
        let now = self.0.world.now();
        let keys = match self.0.keys.store() {
            Some(store) => store.keys().await?,
            None => Vec::new(),
        };
        Ok(Json(KeyList { keys: keys.into_iter().map(|key| KeyView::of(key, now)).collect() }))
    }

    /// Create an API key
    ///
    /// The response is the only one that contains the key. The first key is created on the command
    /// line: 409.
    #[oai(path = "/admin/keys", method = "post")]
    async fn create(&self, request: &poem::Request, body: Raw<NewKey>) -> Result<Created, Problem> {
        let by = Caller::sending(request);
        let store = self.locked_store()?;
        let (holder, name, lifetime) = checked(body.parse()?)?;
        let (key, now) =
            (new_key().map_err(|error| Problem::internal(&error))?, self.0.world.now());
        let expires_at = lifetime.map(|lifetime| now + lifetime.0);
        let record = KeyRecord::new(&key, holder, name, expires_at, now, by.name().to_owned());
        store.add(&record).await?;
        self.created(&key, record).await
    }

    /// Revoke an API key
    ///
    /// This process refuses it at once, others within 5 seconds. The key stays in the list.
    #[oai(path = "/admin/keys/:id/revoke", method = "post")]
    async fn revoke(
        &self,
        /// The key's id.
        id: Path<String>,
        /// The reason, stored with the key: 1 to 500 visible ASCII characters.
        #[oai(name = "X-Reason")]
        reason: Header<Option<String>>,
    ) -> Result<Revoked, Problem> {
        let store = self.locked_store()?;
        let reason = reason.0.unwrap_or_default();
        if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
            let message = format!("must have 1 to {REASON_CHARS_MAX} characters");
            return Err(Problem::bad_parameter("X-Reason", message));
        }
        let revocation = Revocation { at: self.0.world.now(), reason };
        if !store.revoke(&key_id(&id.0)?, &revocation).await? {
            return Err(Problem::not_found(UNKNOWN));
        }
        self.0.keys.refresh().await;
        Ok(Revoked::Done)
    }

    /// Replace an API key
    ///
    /// Creates a key with the same role, customer, name and lifetime, and revokes the old one.
    #[oai(path = "/admin/keys/:id/rotate", method = "post")]
    async fn rotate(
        &self,
        request: &poem::Request,
        /// The key's id.
        id: Path<String>,
    ) -> Result<Created, Problem> {
        let by = Caller::sending(request);
        let store = self.locked_store()?;
        let rotated = rotate(&**store, &key_id(&id.0)?, by.name(), &self.0.world).await;
        match rotated.map_err(|error| Problem::internal(&error))? {
            Some((key, record)) => self.created(&key, record).await,
            None => Err(Problem::not_found(UNKNOWN)),
        }
    }

    /// The store, unless the server is open.
    fn locked_store(&self) -> Result<&Arc<dyn KeyStore>, Problem> {
        let store = self.0.keys.store().filter(|_| !self.0.keys.is_open());
        store.ok_or_else(|| Problem::conflict(FIRST))
    }

    async fn created(&self, key: &ApiKey, record: KeyRecord) -> Result<Created, Problem> {
        self.0.keys.refresh().await;
        let api_key = key.expose().to_owned();
        let key = KeyView::of(record, self.0.world.now());
        Ok(Created::Key(Json(CreatedKeyView { api_key, key })))
    }
}

fn key_id(text: &str) -> Result<KeyId, Problem> {
    KeyId::parse(text).ok_or_else(|| Problem::not_found(UNKNOWN))
}

fn checked(new: NewKey) -> Result<(KeyHolder, String, Option<Lifetime>), Problem> {
    let NewKey { role, customer_id, name, expires_in } = new;
    let mut errors = Vec::new();
    let mut fault = |field: &str, message: String| errors.push(FieldError::new(field, message));
    let named = Role::named(role.as_str());
    let holder = named.map(|role| KeyHolder::new(role, customer_id));
    let holder = match holder {
        Some(Ok(holder)) => Some(holder),
        Some(Err(error)) => {
            fault("customer_id", format!("does not fit: {error}"));
            None
        }
        None => {
            let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
            fault("role", format!("must be one of {}", names.join(", ")));
            None
        }
    };
    let lifetime = expires_in.map(|text| text.parse::<Lifetime>()).transpose();
    let lifetime = lifetime.unwrap_or_else(|expected| {
        fault("expires_in", format!("is malformed; {expected}"));
        None
    });
    let name = name.unwrap_or_default();
    if !name.is_empty() {
        validate::text(&mut errors, "name", &name, NAME_CHARS_MAX);
    }
    match holder.filter(|_| errors.is_empty()) {
        Some(holder) => Ok((holder, name, lifetime)),
        None => Err(Problem::faulty("API key", errors)),
    }
}
