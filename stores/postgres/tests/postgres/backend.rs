//! The services' schemas in a database of a test's own. Whatever is opened is a process of its own, as
//! far as the database can tell.

use crate::proxy::Proxy;
use crate::server::Scratch;
use async_trait::async_trait;
use ordermill_actors::access::KeyStore;
use ordermill_actors::registry::{OpenDatabase, Opened};
use ordermill_contract::Backend;
use ordermill_postgres::access::KeySchema;
use ordermill_postgres::{Database, PgService};
use sqlx::migrate::Migrator;
use std::convert::Infallible;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

/// A number that no other process of the tests has.
pub fn next_owner() -> i64 {
    static OWNERS: AtomicI64 = AtomicI64::new(1);
    // Both halves of it are in use, as in a number that is drawn at random.
    OWNERS.fetch_add(1, Relaxed) * 0x0001_0000_0001
}

/// A schema each in one database.
pub struct PostgresBackend {
    scratch: Scratch,
    url: String,
    proxy: Option<Proxy>,
    open: Mutex<Vec<Database>>,
}

impl PostgresBackend {
    pub async fn new() -> Self {
        let scratch = Scratch::new().await;
        let url = scratch.url();
        Self { scratch, url, proxy: None, open: Mutex::default() }
    }

    /// The same, over connections that can be cut.
    pub async fn behind_a_proxy() -> Self {
        let scratch = Scratch::new().await;
        let proxy = Proxy::new(&scratch.options()).await;
        let url = scratch.url_at(proxy.address);
        Self { scratch, url, proxy: Some(proxy), open: Mutex::default() }
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("this backend has a proxy")
    }

    /// Opens a schema as a process of this number.
    pub async fn database(
        &self,
        schema: &'static str,
        migrations: &Migrator,
        owner: i64,
    ) -> Database {
        let database = Database::open(&self.url, schema, migrations, owner).await.unwrap();
        self.open.lock().unwrap().push(database.clone());
        database
    }
}

#[async_trait]
impl<S: PgService> OpenDatabase<S, Infallible> for PostgresBackend {
    /// Opens it as one more process.
    async fn open(&self) -> Result<Opened<S>, Infallible> {
        Ok(S::opened(self.database(S::SCHEMA, S::MIGRATIONS, next_owner()).await))
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    fn key_store(&self) -> Arc<dyn KeyStore> {
        Arc::new(KeySchema::new(&self.url).unwrap())
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for database in open {
            database.close().await;
        }
    }
}
