//! The gateway as the payment service and customers reach it: through its journal, late or never where the method
//! plays that.

use super::reads::GatewayReads;
use crate::payment::PaymentGateway;
use crate::ports::ReadError;
use crate::runtime::journal::{CommitOutcome, JournalHandle};
use async_trait::async_trait;
use ordermill_domain::clock::{Clock, Timestamp};
use ordermill_domain::gateway::{
    Entry, GatewayChange, GatewayPolicy, GatewayResponse, LedgerAnswer, LedgerNotification,
    SimulatedGateway, Visit, VisitOutcome,
};
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation,
};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a call without an answer is kept open: longer than any timeout, and yet no leak.
const SILENCE: Duration = Duration::from_secs(600);

/// Told what happens to an order's payment without being asked for, and how much is captured, in minor units (0: a try
/// was denied, or is pending). Called from the journal: it must not block.
pub type NotificationListener = Arc<dyn Fn(OrderId, i64) + Send + Sync>;

/// The same, not kept alive.
type WeakListener = Weak<dyn Fn(OrderId, i64) + Send + Sync>;

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct GatewayHandle {
    journal: JournalHandle<SimulatedGateway>,
    reads: Arc<dyn GatewayReads>,
    policy: GatewayPolicy,
    clock: Arc<dyn Clock>,
    /// Weak: who listens asks this gateway, too.
    listener: Arc<OnceLock<WeakListener>>,
}

impl GatewayHandle {
    /// A gateway that books through `journal` and looks things up in `reads`.
    pub fn new(
        journal: JournalHandle<SimulatedGateway>,
        reads: Arc<dyn GatewayReads>,
        policy: GatewayPolicy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { journal, reads, policy, clock, listener: Arc::default() }
    }

    /// Has all notifications of this handle and its clones sent to `listener`, for as long as the caller keeps it. Only
    /// the first call has an effect; notifications before it are lost, as those of a real gateway may be.
    pub fn notify(&self, listener: &NotificationListener) {
        // The first listener stays, as documented.
        let _ = self.listener.set(Arc::downgrade(listener));
    }

    /// Does what a customer does at the page under a key.
    ///
    /// # Errors
    /// When the ledger cannot book it.
    pub async fn visit(&self, key: GatewayKey, visit: Visit) -> Result<VisitOutcome, GatewayError> {
        match self.commit(GatewayChange::Visit(key, visit)).await?.answer {
            LedgerAnswer::Visited(outcome) => Ok(outcome),
            other @ (LedgerAnswer::Asked(_) | LedgerAnswer::Silence) => Err(unexpected(&other)),
        }
    }

    /// The ledger's entry under a key. None: no payment was requested or cancelled under it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError> {
        self.reads.entry(key).await
    }

    /// The time by which pages end.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has a change decided and committed.
    async fn commit(&self, change: GatewayChange) -> Result<GatewayResponse, GatewayError> {
        let (sender, receiver) = oneshot::channel();
        let (handle, key) = (self.clone(), change.key());
        self.journal.submit(change, move |outcome| {
            if let CommitOutcome::Done(response) = &outcome {
                handle.follow_up(key, response);
            }
            // A caller that gave up is not told; what was booked stays booked.
            let _ = sender.send(outcome);
        });
        match receiver.await {
            Ok(CommitOutcome::Done(response)) => Ok(response),
            Ok(CommitOutcome::Failed(cause)) => Err(GatewayError::Unknown(cause)),
            // No booking is decided on a version; and what was dropped is known to nobody.
            Ok(CommitOutcome::Refused) | Err(_) => {
                Err(GatewayError::Unknown("the ledger did not respond".to_owned()))
            }
        }
    }

    /// Tells what is to be told of a committed change, and books late money when it arrives. Both are lost if the
    /// process ends before: late money is then booked by the next request.
    fn follow_up(&self, key: GatewayKey, response: &GatewayResponse) {
        let listener = self.listener.get().and_then(Weak::upgrade);
        if let (Some(told), Some(listener)) = (response.notification, listener) {
            let LedgerNotification { order_id, claimed_minor } = told;
            listener(order_id, claimed_minor);
        }
        if let Some(late_at) = response.late_at {
            let (handle, wait) = (self.clone(), late_at - self.clock.now());
            tokio::spawn(async move {
                tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
                // A customer who leaves changes nothing, but what has arrived by then is booked.
                if let Err(error) = handle.visit(key, Visit::Leave).await {
                    tracing::warn!(service = "gateway", %error, "late money is not booked yet");
                }
            });
        }
    }

    /// What the ledger has now. None: money has arrived that has to be booked first.
    async fn retrieve(&self, key: GatewayKey) -> Result<Option<GatewayPayment>, GatewayError> {
        let entry = self.reads.entry(key).await;
        let entry = entry.map_err(|error| GatewayError::Unreachable(error.to_string()))?;
        let now = self.clock.now();
        let entry = entry.unwrap_or_else(|| Entry::new(key, now));
        Ok((!entry.is_late_money_due(now)).then(|| entry.payment(&self.policy, now)))
    }

    async fn take_time(&self, time: Duration) {
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }
}

fn unexpected(answer: &LedgerAnswer) -> GatewayError {
    GatewayError::Unknown(format!("unexpected answer: {answer:?}"))
}

#[async_trait]
impl PaymentGateway for GatewayHandle {
    async fn ask(&self, request: GatewayRequest) -> Result<GatewayPayment, GatewayError> {
        if request.operation == Operation::Retrieve
            && let Some(payment) = self.retrieve(request.subject.key).await?
        {
            self.take_time(self.policy.latency).await;
            return Ok(payment);
        }
        let response = self.commit(GatewayChange::Ask(request)).await?;
        self.take_time(self.policy.latency).await;
        match response.answer {
            LedgerAnswer::Asked(answer) => {
                self.take_time(response.delay).await;
                answer.map(|payment| *payment)
            }
            LedgerAnswer::Silence => {
                tokio::time::sleep(SILENCE).await;
                Err(GatewayError::Unknown("no answer".to_owned()))
            }
            other @ LedgerAnswer::Visited(_) => Err(unexpected(&other)),
        }
    }
}
