//! A data directory of a test's own, and the services' files in it.

use async_trait::async_trait;
use ordermill_actors::access::KeyStore;
use ordermill_actors::registry::{OpenDatabase, Opened};
use ordermill_contract::Backend;
use ordermill_sqlite::access::KeyFile;
use ordermill_sqlite::{DataDir, Database, SqliteService};
use sqlx::migrate::Migrator;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

/// A directory that nobody else uses, removed when the test is over.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("ordermill-sqlite-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn open(&self) -> DataDir {
        DataDir::open(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file each in one directory.
pub struct SqliteBackend {
    directory: DataDir,
    open: Mutex<Vec<Database>>,
    scratch: Scratch,
}

impl SqliteBackend {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        Self { directory: scratch.open(), open: Mutex::default(), scratch }
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Opens a file of this name.
    pub async fn database(&self, name: &str, migrations: &Migrator) -> Database {
        let database = Database::open(&self.directory, name, migrations).await.unwrap();
        self.open.lock().unwrap().push(database.clone());
        database
    }
}

#[async_trait]
impl<S: SqliteService> OpenDatabase<S, Infallible> for SqliteBackend {
    async fn open(&self) -> Result<Opened<S>, Infallible> {
        Ok(S::opened(self.database(S::DATABASE, S::MIGRATIONS).await))
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    fn key_store(&self) -> Arc<dyn KeyStore> {
        Arc::new(KeyFile::in_directory(self.scratch.path()))
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for database in open {
            database.close().await;
        }
    }
}
