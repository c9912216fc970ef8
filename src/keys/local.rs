//! Keys in their store, beside a running server or without one.

use super::args::{KeyCommand, NewKeyArgs};
use super::table::{show, show_created};
use crate::access::{KeyPlace, new_key};
use crate::app::world;
use anyhow::{Context, bail, ensure};
use ordermill_actors::access::KeyStore;
use ordermill_client::{CreatedKey, Key};
use ordermill_domain::access::{ApiKey, KeyHolder, KeyId, KeyRecord, NAME_CHARS_MAX, Revocation};
use ordermill_domain::clock::{Timestamp, World};

/// Who has made a key here.
const COMMAND_LINE: &str = "command line";
/// Why a key is revoked that has a successor.
pub const ROTATED: &str = "rotated";

/// Does it in the store at this place.
pub(super) async fn run(place: KeyPlace, command: KeyCommand) -> anyhow::Result<()> {
    let store = place.store()?.context("there is no store of API keys")?;
    let (store, world) = (&*store, world::real());
    match command {
        KeyCommand::Create(new) => {
            let key = new_key()?;
            let record = record(&key, new, world.now())?;
            store.add(&record).await?;
            show_created(&CreatedKey { api_key: key.expose().to_owned() });
        }
        KeyCommand::List { json } => {
            let (now, keys) = (world.now(), store.keys().await?);
            let keys: Vec<Key> = keys.iter().map(|record| view(record, now)).collect();
            show(&keys, json);
        }
        KeyCommand::Revoke { id, reason } => {
            ensure!(!reason.trim().is_empty(), "the reason is empty");
            let revocation = Revocation { at: world.now(), reason };
            ensure!(store.revoke(&key_id(&id)?, &revocation).await?, not_active(&id));
        }
        KeyCommand::Rotate { id } => {
            let rotated = rotate(store, &key_id(&id)?, COMMAND_LINE, &world).await?;
            let (key, _) = rotated.with_context(|| not_active(&id))?;
            show_created(&CreatedKey { api_key: key.expose().to_owned() });
        }
    }
    Ok(())
}

/// Replaces a key. None: there is none of this id that is not revoked already.
pub async fn rotate(
    store: &dyn KeyStore,
    id: &KeyId,
    by: &str,
    world: &World,
) -> anyhow::Result<Option<(ApiKey, KeyRecord)>> {
    let keys = store.keys().await?;
    let Some(old) = keys.iter().find(|record| record.id == *id) else { return Ok(None) };
    let (key, now) = (new_key()?, world.now());
    let successor = old.successor(&key, now, by.to_owned());
    let revocation = Revocation { at: now, reason: ROTATED.to_owned() };
    let replaced = store.replace(id, &revocation, &successor).await?;
    Ok(replaced.then_some((key, successor)))
}

fn record(key: &ApiKey, new: NewKeyArgs, now: Timestamp) -> anyhow::Result<KeyRecord> {
    let NewKeyArgs { role, customer, name, expires } = new;
    let holder = KeyHolder::new(role, customer)?;
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        bail!(
            "the name must have at most {NAME_CHARS_MAX} characters, none of them a control character"
        );
    }
    let expires_at = expires.map(|lifetime| now + lifetime.0);
    Ok(KeyRecord::new(key, holder, name, expires_at, now, COMMAND_LINE.to_owned()))
}

fn key_id(text: &str) -> anyhow::Result<KeyId> {
    KeyId::parse(text)
        .context("the id of a key has 8 letters and digits; `keys list` shows the ids")
}

fn not_active(id: &str) -> String {
    format!("there is no key {id}, or it is revoked already; `ordermill keys list` shows the keys")
}

fn view(record: &KeyRecord, now: Timestamp) -> Key {
    Key {
        id: record.id.to_string(),
        role: record.holder.role().as_str().to_owned(),
        status: record.status(now).as_str().to_owned(),
        customer_id: record.holder.customer().map(str::to_owned),
        name: record.name.clone(),
        created_at: record.created_at,
        created_by: record.created_by.clone(),
        expires_at: record.expires_at,
        revoked_at: record.revoked.as_ref().map(|revoked| revoked.at),
        revoked_reason: record.revoked.as_ref().map(|revoked| revoked.reason.clone()),
    }
}
