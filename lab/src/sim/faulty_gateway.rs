//! The line to the gateway: requests get lost on the way there or back, or take their time.

use super::Shared;
use super::fault::Fault;
use super::process_gate::ProcessGate;
use async_trait::async_trait;
use ordermill_actors::payment::PaymentGateway;
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a request takes when all is well.
const SLOW: Duration = Duration::from_millis(500);
/// The longest that an answer comes late: some are heard all the same, some are not.
const LATE: Duration = Duration::from_secs(90);

/// The gateway, at the end of a bad line.
pub struct FaultyGateway {
    pub gateway: Arc<dyn PaymentGateway>,
    pub gate: ProcessGate,
    pub sim: Shared,
}

#[async_trait]
impl PaymentGateway for FaultyGateway {
    async fn ask(&self, mut request: GatewayRequest) -> Result<GatewayPayment, GatewayError> {
        // Of this payment it always takes too much: asked again, it stands by what it did.
        if self.sim.is_drawn(Fault::WrongAmount, request.subject.key.0) {
            request.subject.due.minor += 1;
        }
        self.gate.runs_on().await;
        tokio::time::sleep(self.sim.chance.pause(SLOW)).await;
        if self.sim.fails(Fault::Unasked) {
            return Err(lost());
        }
        self.sim.may_die(&self.gate);
        self.gate.runs_on().await;
        let answer = self.gateway.ask(request).await;
        if self.sim.fails(Fault::Late) {
            tokio::time::sleep(self.sim.chance.pause(LATE)).await;
        }
        self.gate.runs_on().await;
        if self.sim.fails(Fault::Unanswered) {
            return Err(lost());
        }
        if self.sim.fails(Fault::GatewayFails) {
            return Err(GatewayError::Unknown("the simulation says 500".to_owned()));
        }
        answer
    }
}

fn lost() -> GatewayError {
    GatewayError::Unknown("the simulation lost it".to_owned())
}
