//! The line to the gateway: requests get lost on the way there or back, or take their time.

use super::Shared;
use super::fault::Fault;
use super::process_gate::ProcessGate;
use async_trait::async_trait;
use ordermill_actors::gateway::NotificationListener;
use ordermill_actors::payment::PaymentGateway;
use ordermill_actors::registry::GatewayLine;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{GatewayError, GatewayPayment, GatewayRequest};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// The longest that a request takes when all is well.
const SLOW: Duration = Duration::from_millis(500);
/// The longest that an answer comes late: some are heard all the same, some are not.
const LATE: Duration = Duration::from_secs(90);

/// Weak: who listens asks the gateway over this line, too.
type WeakListener = Weak<dyn Fn(OrderId, i64) + Send + Sync>;

/// A bad line between a process and the gateway.
pub struct FaultyLine {
    gate: ProcessGate,
    sim: Shared,
    listener: Arc<OnceLock<WeakListener>>,
}

impl FaultyLine {
    /// The line of a process.
    pub fn new(gate: ProcessGate, sim: Shared) -> Self {
        Self { gate, sim, listener: Arc::default() }
    }
}

impl GatewayLine for FaultyLine {
    fn requests(&self, gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
        let (gate, sim) = (self.gate.clone(), self.sim.clone());
        Arc::new(FaultyGateway { gateway, gate, sim, listener: self.listener.clone() })
    }

    /// Notifications get lost, come twice, and late enough to overtake each other.
    fn notifications(&self, listener: NotificationListener) -> NotificationListener {
        let (gate, sim) = (self.gate.clone(), self.sim.clone());
        // Only one is made of each line.
        let _ = self.listener.set(Arc::downgrade(&listener));
        Arc::new(move |order, claimed_minor| {
            if sim.fails(Fault::NotificationLost) {
                return;
            }
            let times = 1 + u32::from(sim.fails(Fault::NotificationDoubled));
            for _ in 0..times {
                let longest = if sim.fails(Fault::NotificationLate) { LATE } else { SLOW };
                let (pause, gate, listener) =
                    (sim.chance.pause(longest), gate.clone(), listener.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    gate.runs_on().await;
                    listener(order, claimed_minor);
                });
            }
        })
    }
}

/// The gateway, at the end of a bad line.
struct FaultyGateway {
    gateway: Arc<dyn PaymentGateway>,
    gate: ProcessGate,
    sim: Shared,
    listener: Arc<OnceLock<WeakListener>>,
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
        // Somebody claims that it is paid, whatever the gateway has.
        if self.sim.fails(Fault::NotificationForged)
            && let Some(listener) = self.listener.get().and_then(Weak::upgrade)
        {
            listener(request.subject.order_id, request.subject.due.minor);
        }
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
