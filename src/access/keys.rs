//! The keys that are in force in this process.

use super::{Caller, KeyPlace};
use crate::config::{Config, ConfigError, Problem};
use ordermill_actors::access::KeyStore;
use ordermill_actors::ports::ReadError;
use ordermill_domain::access::{KeyRecord, KeySet};
use ordermill_domain::clock::World;
use poem::http::HeaderMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often the store is read: a revoked key is refused everywhere within this time.
const READ_EVERY: Duration = Duration::from_secs(5);
/// A store that has not answered by then counts as unavailable until it is read again.
const READ_WITHIN: Duration = Duration::from_secs(4);
/// A start waits so long for the first read, and then goes on with keys that are unread: it has more to say.
const FIRST_READ_WITHIN: Duration = Duration::from_secs(2);
/// How often keys that could never be read are asked for: nobody is served meanwhile.
const UNREAD_RETRY: Duration = Duration::from_millis(500);

/// The keys that are in force in this process.
pub struct Keys {
    /// None: there is none, and never was a key.
    store: Option<Arc<dyn KeyStore>>,
    may_be_open: bool,
    world: World,
    lock: RwLock<Arc<Lock>>,
    /// The last read failed: said once.
    failing: AtomicBool,
}

/// How the server is locked.
#[derive(Debug)]
enum Lock {
    /// The keys could not be read yet: nobody is let in.
    Unread,
    /// No key has ever existed, and only those who may do everything can reach the server.
    Open,
    /// A key of these is required.
    Locked(KeySet),
}

/// The server can be reached from elsewhere, and nobody could be told from anybody.
#[derive(Clone, Copy, Debug)]
pub struct NoCredentials(pub SocketAddr);

impl From<NoCredentials> for ConfigError {
    fn from(NoCredentials(listen): NoCredentials) -> Self {
        let problem = Problem {
            variable: "ORDERMILL_LISTEN".to_owned(),
            flag: "--listen".to_owned(),
            value: Some(listen.to_string()),
            accepted: "other machines can reach this address, and there is no API key; create one with \
                       `ordermill keys create --role admin`, or listen on 127.0.0.1, or let everybody \
                       in with ORDERMILL_INSECURE=true (--insecure)"
                .to_owned(),
        };
        Self { problems: vec![problem] }
    }
}

impl Keys {
    /// The keys of a server with these settings, not read yet.
    ///
    /// # Errors
    /// When the URL of their database is malformed.
    pub fn new(config: &Config, world: World) -> anyhow::Result<Self> {
        let may_be_open = config.insecure || config.listen.ip().is_loopback();
        Ok(Self::over(KeyPlace::of(config).store()?, may_be_open, world))
    }

    /// Keys of a store, not read yet. Without any key the server is open only if it may be.
    pub fn over(store: Option<Arc<dyn KeyStore>>, may_be_open: bool, world: World) -> Self {
        let (lock, failing) = (RwLock::new(Arc::new(Lock::Unread)), AtomicBool::new(false));
        Self { store, may_be_open, world, lock, failing }
    }

    /// Who sends a request with these headers.
    pub fn caller(&self, headers: &HeaderMap) -> Caller {
        match &*self.lock() {
            Lock::Unread => Caller::unread(),
            Lock::Open => Caller::Anyone,
            Lock::Locked(keys) => Caller::of(headers, keys, self.world.now()),
        }
    }

    /// The store of keys, to change them. None: there is none.
    pub fn store(&self) -> Option<&Arc<dyn KeyStore>> {
        self.store.as_ref()
    }

    /// Reads the keys for the first time, or goes on without having read them.
    pub async fn read_first(&self) {
        if timeout(FIRST_READ_WITHIN, self.refresh()).await.is_err() {
            tracing::warn!(
                service = "http",
                "the API keys are not read yet; requests are refused with 503 until they are"
            );
        }
    }

    /// Reads the keys. What was read before stays in force where that fails.
    pub async fn refresh(&self) {
        let read = match &self.store {
            Some(store) => timeout(READ_WITHIN, store.keys()).await.unwrap_or_else(|_| {
                Err(ReadError::Away(format!("no answer within {READ_WITHIN:?}")))
            }),
            None => Ok(Vec::new()),
        };
        match read {
            Ok(records) => {
                self.failing.store(false, Relaxed);
                self.put(records);
            }
            Err(_) if self.failing.swap(true, Relaxed) => {}
            Err(error) => {
                let stands = match *self.lock() {
                    Lock::Unread => "requests are refused with 503 until they are read",
                    Lock::Open | Lock::Locked(_) => "those that were read last stay in force",
                };
                tracing::warn!(service = "http", %error, "reading the API keys failed; {stands}");
            }
        }
    }

    fn put(&self, records: Vec<KeyRecord>) {
        let keys = KeySet::new(records);
        let new = match (&*self.lock(), keys.is_empty()) {
            // Rows are never deleted: this is another store, or a damaged one.
            (Lock::Locked(last), true) if !last.is_empty() => {
                tracing::error!(
                    service = "http",
                    "the API keys are gone from their store; those that were read last stay in force"
                );
                return;
            }
            (_, true) if self.may_be_open => Lock::Open,
            (Lock::Open, false) => {
                tracing::info!(
                    service = "http",
                    "an API key exists: every request needs a key from now on"
                );
                Lock::Locked(keys)
            }
            _ => Lock::Locked(keys),
        };
        *self.lock.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    /// Whether everybody is refused because no key has ever existed and the server must not be open.
    pub fn lacks_credentials(&self) -> bool {
        matches!(&*self.lock(), Lock::Locked(keys) if keys.is_empty())
    }

    /// Whether everybody may do everything.
    pub fn is_open(&self) -> bool {
        matches!(*self.lock(), Lock::Open)
    }

    /// Reads the keys again and again, until the end of the process.
    pub fn keep_reading(self: &Arc<Self>, stop: CancellationToken) {
        let keys = self.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                let is_unread = matches!(*keys.lock(), Lock::Unread);
                sleep(if is_unread { UNREAD_RETRY } else { READ_EVERY }).await;
                keys.refresh().await;
            }
        }));
    }

    fn lock(&self) -> Arc<Lock> {
        self.lock.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Denial, new_key};
    use crate::app::world;
    use async_trait::async_trait;
    use ordermill_domain::access::{ApiKey, KeyHolder, KeyId, Permission, Revocation, Role};
    use std::sync::Mutex;

    /// A store that says what it is told to.
    #[derive(Default)]
    struct Said(Mutex<Option<Vec<KeyRecord>>>);

    impl Said {
        fn says(&self, keys: Option<Vec<KeyRecord>>) {
            *self.0.lock().unwrap() = keys;
        }
    }

    #[async_trait]
    impl KeyStore for Said {
        async fn keys(&self) -> Result<Vec<KeyRecord>, ReadError> {
            let said = self.0.lock().unwrap().clone();
            said.ok_or_else(|| ReadError::Away("gone".to_owned()))
        }

        async fn add(&self, _: &KeyRecord) -> Result<(), ReadError> {
            unreachable!("nothing is added here")
        }

        async fn revoke(&self, _: &KeyId, _: &Revocation) -> Result<bool, ReadError> {
            unreachable!("nothing is revoked here")
        }

        async fn replace(
            &self,
            _: &KeyId,
            _: &Revocation,
            _: &KeyRecord,
        ) -> Result<bool, ReadError> {
            unreachable!("nothing is replaced here")
        }
    }

    fn record(key: &ApiKey) -> KeyRecord {
        let holder = KeyHolder::new(Role::Admin, None).unwrap();
        KeyRecord::new(key, holder, String::new(), None, world::real().now(), "test".to_owned())
    }

    fn status(keys: &Keys, key: Option<&ApiKey>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("x-api-key", key.expose().parse().unwrap());
        }
        match keys.caller(&headers).may(Permission::ReadStock) {
            Ok(_) => 200,
            Err(Denial::Unread) => 503,
            Err(Denial::NoKey | Denial::Malformed | Denial::NotAccepted(_)) => 401,
            Err(Denial::Forbidden(..) | Denial::NotForCustomers) => 403,
        }
    }

    #[tokio::test]
    async fn keys_that_could_never_be_read_let_nobody_in() {
        let store = Arc::new(Said::default());
        let keys = Keys::over(Some(store.clone()), true, world::real());
        let key = new_key().unwrap();
        assert_eq!(status(&keys, Some(&key)), 503);
        keys.refresh().await;
        assert_eq!([status(&keys, None), status(&keys, Some(&key))], [503, 503]);
        store.says(Some(Vec::new()));
        keys.refresh().await;
        assert_eq!(status(&keys, None), 200, "no key has ever existed");
    }

    #[tokio::test]
    async fn what_was_read_last_stays_in_force() {
        let store = Arc::new(Said::default());
        let keys = Keys::over(Some(store.clone()), true, world::real());
        let key = new_key().unwrap();
        store.says(Some(vec![record(&key)]));
        keys.refresh().await;
        assert_eq!([status(&keys, None), status(&keys, Some(&key))], [401, 200]);
        // The store is unavailable, then empty: no reason to open the doors.
        for said in [None, Some(Vec::new())] {
            store.says(said);
            keys.refresh().await;
            assert_eq!([status(&keys, None), status(&keys, Some(&key))], [401, 200]);
        }
        let revoked = Some(Revocation { at: world::real().now(), reason: "lost".to_owned() });
        store.says(Some(vec![KeyRecord { revoked, ..record(&key) }]));
        keys.refresh().await;
        assert_eq!([status(&keys, None), status(&keys, Some(&key))], [401, 401]);
        assert!(!keys.is_open());
    }

    #[tokio::test]
    async fn a_server_that_others_reach_is_never_open() {
        let store = Arc::new(Said::default());
        store.says(Some(Vec::new()));
        let keys = Keys::over(Some(store), false, world::real());
        keys.refresh().await;
        assert_eq!(status(&keys, None), 401);
        assert!(keys.lacks_credentials());
    }
}
