//! The model itself as a backend: what the contract says of stores must hold for it, too.

use crate::backend::Backend;
use async_trait::async_trait;
use ordermill_actors::access::{KeyMemory, KeyStore};
use ordermill_actors::registry::{OpenDatabase, Opened};
use ordermill_actors::testing::shop::ShopStores;
use ordermill_actors::testing::stores::InMemory;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Databases in memory. They outlive being closed, as files do; what is opened is one more process.
#[derive(Default)]
pub struct MemoryBackend {
    stores: ShopStores,
    keys: Arc<KeyMemory>,
    /// The number of the process that was opened last.
    owner: AtomicU64,
}

#[async_trait]
impl<S: InMemory> OpenDatabase<S, Infallible> for MemoryBackend {
    async fn open(&self) -> Result<Opened<S>, Infallible> {
        let owner = self.owner.fetch_add(1, Relaxed) + 1;
        let memory = S::of(&self.stores).owned_by(owner);
        Ok(Opened { store: Arc::new(memory.clone()), reads: S::data(memory), identity: None })
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn key_store(&self) -> Arc<dyn KeyStore> {
        self.keys.clone()
    }

    async fn close(&self) {
        (0..=self.owner.load(Relaxed)).for_each(|owner| self.stores.owner_died(owner));
    }
}
