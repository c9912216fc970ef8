//! The gateway as the payment service calls it: through its journal, late or never where the method
//! plays that.

use super::reads::GatewayReads;
use crate::payment::Gateway;
use crate::runtime::journal::{CommitOutcome, JournalHandle};
use async_trait::async_trait;
use ordermill_domain::gateway::{GatewayChange, GatewayPolicy, GatewayResponse, SimulatedGateway};
use ordermill_domain::money::Money;
use ordermill_domain::payment::{
    Charge, ChargeRequest, GatewayKey, Holding, OldGatewayError, Undone,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a call without an answer is kept open: longer than any timeout, and yet no leak.
const SILENCE: Duration = Duration::from_secs(600);

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct GatewayHandle {
    journal: JournalHandle<SimulatedGateway>,
    reads: Arc<dyn GatewayReads>,
    policy: GatewayPolicy,
}

impl GatewayHandle {
    /// A gateway that books through `journal` and looks things up in `reads`.
    pub fn new(
        journal: JournalHandle<SimulatedGateway>,
        reads: Arc<dyn GatewayReads>,
        policy: GatewayPolicy,
    ) -> Self {
        Self { journal, reads, policy }
    }

    async fn call(&self, change: GatewayChange) -> Result<GatewayResponse, OldGatewayError> {
        let (sender, receiver) = oneshot::channel();
        self.journal.submit(change, move |outcome| {
            // A caller that gave up is not told; what was booked stays booked.
            let _ = sender.send(outcome);
        });
        let response = match receiver.await {
            Ok(CommitOutcome::Done(response)) => response,
            Ok(CommitOutcome::Failed(cause)) => return Err(OldGatewayError::Unavailable(cause)),
            // No booking is decided on a version; and what was dropped is known to nobody.
            Ok(CommitOutcome::Refused) | Err(_) => {
                return Err(OldGatewayError::Unavailable("the ledger did not respond".to_owned()));
            }
        };
        if !self.policy.latency.is_zero() {
            tokio::time::sleep(self.policy.latency).await;
        }
        match response {
            GatewayResponse::Charge(..) | GatewayResponse::Undone(_) => Ok(response),
            GatewayResponse::Error(cause) => Err(OldGatewayError::Unavailable(cause.to_owned())),
            GatewayResponse::Nothing => {
                tokio::time::sleep(SILENCE).await;
                Err(OldGatewayError::Timeout)
            }
        }
    }

    async fn undo(&self, change: GatewayChange) -> Result<Undone, OldGatewayError> {
        match self.call(change).await? {
            GatewayResponse::Undone(undone) => Ok(undone),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(response: &GatewayResponse) -> OldGatewayError {
    OldGatewayError::Unavailable(format!("unexpected reply: {response:?}"))
}

#[async_trait]
impl Gateway for GatewayHandle {
    async fn charge(&self, request: ChargeRequest) -> Result<Charge, OldGatewayError> {
        match self.call(GatewayChange::Charge(request)).await? {
            GatewayResponse::Charge(charge, delay) => {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                Ok(charge)
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn void(&self, key: GatewayKey) -> Result<Undone, OldGatewayError> {
        self.undo(GatewayChange::Void(key)).await
    }

    async fn refund(&self, key: GatewayKey, amount: Money) -> Result<Undone, OldGatewayError> {
        self.undo(GatewayChange::Refund(key, amount)).await
    }

    async fn query(&self, key: GatewayKey) -> Result<Holding, OldGatewayError> {
        let entry = self.reads.entry(key).await;
        let entry = entry.map_err(|error| OldGatewayError::Unavailable(error.to_string()))?;
        Ok(entry.map_or(Holding::Unknown, |entry| entry.holding()))
    }
}
