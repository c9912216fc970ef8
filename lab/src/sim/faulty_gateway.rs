//! The line to the gateway: calls get lost on the way there or back, or take their time.

use super::Shared;
use super::fault::Fault;
use super::process_gate::ProcessGate;
use async_trait::async_trait;
use ordermill_actors::payment::Gateway;
use ordermill_domain::money::Money;
use ordermill_domain::payment::{
    Charge, ChargeRequest, GatewayKey, Holding, OldGatewayError, Undone,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The longest that a call takes when all is well.
const SLOW: Duration = Duration::from_millis(500);
/// The longest that an answer comes late: some are heard all the same, some are not.
const LATE: Duration = Duration::from_secs(90);

/// The gateway, at the end of a bad line.
pub struct FaultyGateway {
    pub gateway: Arc<dyn Gateway>,
    pub gate: ProcessGate,
    pub sim: Shared,
}

impl FaultyGateway {
    async fn call<T>(
        &self,
        asking: impl Future<Output = Result<T, OldGatewayError>> + Send,
    ) -> Result<T, OldGatewayError> {
        self.gate.runs_on().await;
        tokio::time::sleep(self.sim.chance.pause(SLOW)).await;
        if self.sim.fails(Fault::Unasked) {
            return Err(OldGatewayError::Timeout);
        }
        self.sim.may_die(&self.gate);
        self.gate.runs_on().await;
        let answer = asking.await;
        if self.sim.fails(Fault::Late) {
            tokio::time::sleep(self.sim.chance.pause(LATE)).await;
        }
        self.gate.runs_on().await;
        if self.sim.fails(Fault::Unanswered) {
            return Err(OldGatewayError::Timeout);
        }
        if self.sim.fails(Fault::GatewayFails) {
            return Err(OldGatewayError::Unavailable("the simulation says 500".to_owned()));
        }
        answer
    }
}

#[async_trait]
impl Gateway for FaultyGateway {
    async fn charge(&self, request: ChargeRequest) -> Result<Charge, OldGatewayError> {
        // Of this payment it always takes too much: asked again, it stands by what it did.
        let mut request = request;
        if self.sim.is_drawn(Fault::WrongAmount, request.key.0) {
            request.amount.minor += 1;
        }
        self.call(self.gateway.charge(request)).await
    }

    async fn void(&self, key: GatewayKey) -> Result<Undone, OldGatewayError> {
        self.call(self.gateway.void(key)).await
    }

    async fn refund(&self, key: GatewayKey, amount: Money) -> Result<Undone, OldGatewayError> {
        self.call(self.gateway.refund(key, amount)).await
    }

    async fn query(&self, key: GatewayKey) -> Result<Holding, OldGatewayError> {
        self.call(self.gateway.query(key)).await
    }
}
