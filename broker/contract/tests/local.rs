//! The in-process broker, held to the contract.

use async_trait::async_trait;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::{Broker, Rpc};
use ordermill_broker_contract::Backend;
use std::sync::Arc;

struct Local(LocalBroker);

#[async_trait]
impl Backend for Local {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.0.clone())
    }

    fn rpc(&self) -> Arc<dyn Rpc> {
        Arc::new(self.0.clone())
    }

    async fn close(&self) {}
}

async fn local() -> Local {
    Local(LocalBroker::default())
}

ordermill_broker_contract::contract!(
    #[tokio::test(start_paused = true)]
    crate::local
);
