//! The databases of all services in memory.

use super::{MemoryStore, MemoryTables, world};
use crate::ports::Database;
use crate::reconciliation::Sources;
use crate::registry::{HasDatabase, Opened, ServiceDatabases, each_database};
use ordermill_domain::clock::World;
use ordermill_domain::service::{DeadLetter, Service};
use std::future::Future;
use std::sync::Arc;

/// A service whose database is modelled in memory.
pub trait InMemory: HasDatabase {
    /// Its tables.
    type Memory: MemoryTables<Self>;

    /// Its database among all.
    fn of(stores: &ShopStores) -> &MemoryStore<Self::Memory>;

    /// The database, as it is read.
    fn data(memory: MemoryStore<Self::Memory>) -> Arc<Self::Data>;
}

/// Puts something between a service and its database in memory.
pub trait Wrap {
    /// The database as the service's journal and relay get it.
    fn wrap<S: InMemory>(&self, memory: MemoryStore<S::Memory>) -> Arc<dyn Database<S>>;
}

/// An assertion that is made of the store of each service.
pub trait CheckStore {
    /// Panics if it fails.
    fn check<S: Service>(&self, service: S, store: &dyn Database<S>) -> impl Future<Output = ()>;
}

/// Nothing in between.
pub struct Plain;

impl Wrap for Plain {
    fn wrap<S: InMemory>(&self, memory: MemoryStore<S::Memory>) -> Arc<dyn Database<S>> {
        Arc::new(memory)
    }
}

macro_rules! stores {
    ($($(#[$doc:meta])* $name:ident: $service:ty, $memory:ty, $data:ident($($asked:path),+);)*) => {
        /// Every database of a shop: what survives when its process is killed.
        #[derive(Clone)]
        pub struct ShopStores {
            /// Time and ids go on where an earlier life has left them.
            pub world: World,
            $($(#[$doc])* pub $name: MemoryStore<$memory>,)*
        }

        impl Default for ShopStores {
            /// Empty databases. Must be made inside of a runtime.
            fn default() -> Self {
                Self { world: world(), $($name: MemoryStore::default(),)* }
            }
        }

        impl ShopStores {
            /// The same databases, as another process sees them.
            pub fn owned_by(&self, owner: u64) -> Self {
                Self { world: self.world.clone(), $($name: self.$name.owned_by(owner),)* }
            }

            /// A process is gone: others may take over what it has left.
            pub fn owner_died(&self, owner: u64) {
                $(self.$name.owner_died(owner);)*
            }

            /// How many rows are in all outboxes, whoever's they are.
            pub fn outbox_len(&self) -> usize {
                [$(self.$name.outbox_len()),*].iter().sum()
            }

            /// The dead letters of all services.
            pub fn dead_letters(&self) -> Vec<DeadLetter> {
                [$(self.$name.dead_letters()),*].concat()
            }

            /// The databases as a process opens them.
            pub fn databases(&self, between: &impl Wrap) -> ServiceDatabases {
                ServiceDatabases {
                    $($name: Some(Opened {
                        store: between.wrap::<$service>(self.$name.clone()),
                        reads: <$service>::data(self.$name.clone()),
                        identity: None,
                    }),)*
                }
            }
        }

        impl ServiceDatabases {
            /// Checks the store of each database that is open.
            pub async fn check_each(&self, check: &impl CheckStore) {
                $(if let Some(opened) = &self.$name {
                    check.check(<$service>::default(), &*opened.store).await;
                })*
            }
        }

        $(impl InMemory for $service {
            type Memory = $memory;

            fn of(stores: &ShopStores) -> &MemoryStore<$memory> {
                &stores.$name
            }

            fn data(memory: MemoryStore<$memory>) -> Arc<Self::Data> {
                Arc::new(memory)
            }
        })*
    };
}

each_database!(stores);

impl ShopStores {
    /// The records that reconciliation compares.
    pub fn sources(&self) -> Sources {
        self.databases(&Plain).sources()
    }
}
