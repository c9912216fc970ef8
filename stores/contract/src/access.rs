//! API keys.

use crate::Backend;
use futures::future::join_all;
use ordermill_domain::access::{ApiKey, KeyHolder, KeyRecord, Revocation, Role};
use ordermill_domain::clock::Timestamp;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
}

fn key(number: u8, role: Role, customer: Option<&str>) -> KeyRecord {
    let holder = KeyHolder::new(role, customer.map(str::to_owned)).unwrap();
    let key = ApiKey::generate(|| number);
    let name = format!("key {number} with ' and \u{1f511}");
    let created = at(i64::from(number));
    KeyRecord::new(&key, holder, name, None, created, "command line".to_owned())
}

fn lost(micros: i64) -> Revocation {
    Revocation { at: at(micros), reason: "lost; \"never\" found".to_owned() }
}

pub async fn an_unused_store_has_no_keys(backend: &dyn Backend) {
    let store = backend.key_store();
    assert_eq!(store.keys().await.unwrap(), []);
    let id = key(1, Role::Shop, None).id;
    assert!(!store.revoke(&id, &lost(1)).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), []);
}

pub async fn keys_are_read_back_as_they_were_written(backend: &dyn Backend) {
    let store = backend.key_store();
    let mut keys: Vec<_> = Role::ALL
        .iter()
        .zip(1..)
        .map(|(role, number)| {
            key(number, *role, (*role == Role::Customer).then_some("anna \u{fc}"))
        })
        .collect();
    keys[1].expires_at = Some(at(77));
    for key in keys.iter().rev() {
        store.add(key).await.unwrap();
    }
    assert_eq!(store.keys().await.unwrap(), keys, "oldest first");
    // Another process sees the same.
    assert_eq!(backend.key_store().keys().await.unwrap(), keys);
}

pub async fn a_key_is_revoked_once_and_stays_in_the_store(backend: &dyn Backend) {
    let store = backend.key_store();
    let (one, other) = (key(1, Role::Admin, None), key(2, Role::Shop, None));
    store.add(&one).await.unwrap();
    assert!(!store.revoke(&other.id, &lost(1)).await.unwrap(), "there is no such key");
    assert!(store.revoke(&one.id, &lost(2)).await.unwrap());
    assert!(!store.revoke(&one.id, &lost(3)).await.unwrap(), "it is revoked already");
    let revoked = KeyRecord { revoked: Some(lost(2)), ..one };
    assert_eq!(store.keys().await.unwrap(), [revoked]);
}

pub async fn a_key_is_replaced_whole_or_not_at_all(backend: &dyn Backend) {
    let store = backend.key_store();
    let (old, new) = (key(1, Role::Shop, None), key(2, Role::Shop, None));
    assert!(!store.replace(&old.id, &lost(5), &new).await.unwrap(), "there is no such key");
    store.add(&old).await.unwrap();
    assert!(store.replace(&old.id, &lost(5), &new).await.unwrap());
    let replaced = [KeyRecord { revoked: Some(lost(5)), ..old.clone() }, new.clone()];
    assert_eq!(store.keys().await.unwrap(), replaced);
    let later = key(3, Role::Shop, None);
    assert!(!store.replace(&old.id, &lost(6), &later).await.unwrap(), "it is revoked already");
    // The successor's id is taken: the key stays as it is.
    store.replace(&new.id, &lost(7), &old).await.unwrap_err();
    assert_eq!(store.keys().await.unwrap(), replaced);
}

pub async fn an_id_is_taken_once(backend: &dyn Backend) {
    let store = backend.key_store();
    let first = key(1, Role::Shop, None);
    store.add(&first).await.unwrap();
    let second = KeyRecord { holder: KeyHolder::new(Role::Admin, None).unwrap(), ..first.clone() };
    store.add(&second).await.unwrap_err();
    assert_eq!(store.keys().await.unwrap(), [first]);
}

pub async fn keys_are_made_by_several_processes_at_once(backend: &dyn Backend) {
    let stores: Vec<_> = (0..4).map(|_| backend.key_store()).collect();
    let keys: Vec<_> = (1..=4).map(|number| key(number, Role::Shop, None)).collect();
    let adding = stores.iter().zip(&keys).map(|(store, key)| store.add(key));
    for added in join_all(adding).await {
        added.unwrap();
    }
    assert_eq!(stores[0].keys().await.unwrap(), keys);
}
