//! What a store must offer to be held to the contract: each service's database, opened on demand.

use async_trait::async_trait;
use ordermill_actors::access::KeyStore;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::registry::{OpenDatabases, ServiceDatabases};
use std::convert::Infallible;
use std::sync::Arc;

/// One place with a database for each service, empty when it is made, and gone when it is dropped.
///
/// What was opened earlier stays open beside what is opened now, until [`close`](Self::close).
#[async_trait]
pub trait Backend: OpenDatabases<Infallible> {
    /// Opens all of them.
    async fn databases(&self) -> ServiceDatabases {
        ServiceDatabases::open(self, |_| true).await.unwrap()
    }

    /// Opens all of them, as reconciliation reads them.
    async fn sources(&self) -> Sources {
        self.databases().await.sources()
    }

    /// The store of API keys, as one more process uses it.
    fn key_store(&self) -> Arc<dyn KeyStore>;

    /// Closes everything that is open, as the end of a process does. The data stay.
    async fn close(&self);
}
