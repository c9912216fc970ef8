//! Answers questions of one kind from other processes, for as long as the actor lives.

use crate::ports::{Responder, Rpc, Subscription};
use crate::runtime::supervisor::ChildSpec;
use crate::runtime::tree::Node;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;

/// Serves an address of the [`Rpc`] port.
pub struct RpcServer {
    rpc: Arc<dyn Rpc>,
    address: &'static str,
    responder: Arc<dyn Responder>,
    node: Arc<Node>,
}

impl RpcServer {
    /// A server of this address, as a child of the service that answers.
    pub fn child_spec(
        node: Arc<Node>,
        rpc: Arc<dyn Rpc>,
        address: &'static str,
        responder: Arc<dyn Responder>,
    ) -> ChildSpec {
        let its = node.clone();
        ChildSpec::new(node, move || Self {
            rpc: rpc.clone(),
            address,
            responder: responder.clone(),
            node: its.clone(),
        })
    }
}

impl Actor for RpcServer {
    type Msg = ();
    type State = Box<dyn Subscription>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<()>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        let serving = self.rpc.serve(self.address, self.responder.clone()).await?;
        self.node.running();
        Ok(serving)
    }
}
