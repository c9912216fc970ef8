//! The payment as an actor: `payment/<order_id>`, in memory while the gateway is asked.
//!
//! The gateway is asked from a task of its own, which brings the answer to the order's key: to this
//! actor, or to the next one of its name. A task that dies with its process is made good by
//! the [`sweeper`](super::sweeper).

use super::gateways::Gateways;
use super::reads::PaymentReads;
use crate::faults::{self, Point};
use crate::ports::ReadError;
use crate::runtime::directory::Directory;
use crate::runtime::entity::{Entities, EntityDecision, EntityRules};
use crate::runtime::ticket::Ticket;
use crate::traces::{GatewayCall, Tracer};
use async_trait::async_trait;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::TraceContext;
use ordermill_domain::payment::{
    Effect, GatewayAnswer, GatewayError, GatewayPayment, GatewayRequest, NotificationOutcome, Now,
    Payment, PaymentChange, PaymentInput, PaymentPolicy, PaymentReply, PaymentService, Provider,
    decide,
};
use std::sync::Arc;
use std::time::Duration;

/// A late answer is still listened for this long after its timeout: longer than a slow gateway takes, and
/// short enough that lost calls do not pile up.
const LATE_MAX: Duration = Duration::from_secs(60);

/// A payment that is still waited for after this leaves memory meanwhile, and comes back with the answer: longer
/// than a gateway takes that works, so that the usual answer finds its payment there.
const STAYS_FOR: Duration = Duration::from_secs(1);

/// All payments that are in memory.
pub type Payments = Directory<Entities<PaymentRules>>;

/// The rules of payments.
pub struct PaymentRules {
    /// The database.
    pub reads: Arc<dyn PaymentReads>,
    /// The gateways.
    pub gateways: Gateways,
    /// How gateways and customers are waited for.
    pub policy: PaymentPolicy,
    /// Time and ids.
    pub world: World,
    /// Where the requests are recorded.
    pub tracer: Tracer,
}

/// The state of a payment in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMemory {
    /// The row's version; 0: there is none.
    pub version: u64,
    /// The payment, once there is one.
    pub payment: Option<Payment>,
}

/// An effect, performed once a decision is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentEffect {
    /// Make a request of a gateway.
    Ask {
        /// Its number.
        attempt: u32,
        /// The gateway.
        provider: Provider,
        /// The request.
        request: Box<GatewayRequest>,
        /// The order's trace, when it is recorded.
        trace: Option<TraceContext>,
    },
    /// Wait after a request.
    Rest {
        /// Its number.
        attempt: u32,
        /// How long.
        pause: Duration,
    },
}

#[async_trait]
impl EntityRules for PaymentRules {
    type Service = PaymentService;
    type Key = OrderId;
    type State = PaymentMemory;
    type Input = PaymentInput;
    type Reply = PaymentReply;
    type Effect = PaymentEffect;
    const KIND: &'static str = "payment";

    fn name_of(input: &PaymentInput) -> &'static str {
        match input {
            PaymentInput::Process(..) => "process",
            PaymentInput::Undo(_) => "undo",
            PaymentInput::Answered(_) => "answered",
            PaymentInput::PauseElapsed(_) => "rested",
            PaymentInput::Resume => "wake",
            PaymentInput::Notified(_) => "notified",
            PaymentInput::Requested(_) => "requested",
        }
    }

    async fn load(&self, key: &OrderId) -> Result<PaymentMemory, ReadError> {
        Ok(match self.reads.payment(*key).await? {
            None => PaymentMemory { version: 0, payment: None },
            Some(row) => PaymentMemory {
                version: row.version,
                payment: Some(Arc::unwrap_or_clone(row.payment)),
            },
        })
    }

    /// A payment that is asked for is new, but for a command that comes twice.
    fn initial_state(input: &PaymentInput) -> Option<PaymentMemory> {
        matches!(input, PaymentInput::Process(..))
            .then_some(PaymentMemory { version: 0, payment: None })
    }

    fn decide(
        &self,
        key: &OrderId,
        state: &mut PaymentMemory,
        input: &PaymentInput,
    ) -> EntityDecision<Self> {
        let now = Now { at: self.world.now(), policy: &self.policy };
        let decision = decide(state.payment.as_ref(), input, now);
        let expected = state.version;
        let payment = decision.payment.map(Arc::new);
        if let Some(payment) = &payment {
            log_attention(state.payment.as_ref(), payment);
            state.payment = Some(Payment::clone(payment));
            state.version += 1;
        }
        let notification = match input {
            PaymentInput::Notified(received) => Some(received.clone()),
            _ => None,
        };
        let effects = state.payment.as_ref().zip(decision.effect);
        let effects = effects.and_then(|(payment, effect)| self.effect(payment, effect, now));
        let messages = decision.messages;
        let changed = payment.is_some() || !messages.is_empty() || notification.is_some();
        let order_id = Some(*key);
        let change = changed.then_some(PaymentChange {
            order_id,
            expected,
            payment,
            messages,
            notification,
        });
        EntityDecision { change, reply: decision.reply, effects: effects.into_iter().collect() }
    }

    fn nothing(&self, key: &OrderId, state: &PaymentMemory) -> PaymentChange {
        PaymentChange::nothing(*key, state.version)
    }

    fn answer(reply: PaymentReply, answer: Option<NotificationOutcome>) -> PaymentReply {
        answer.map_or(reply, PaymentReply::Notification)
    }

    fn perform(&self, key: &OrderId, effect: PaymentEffect, payments: &Payments) {
        match effect {
            PaymentEffect::Ask { attempt, provider, request, trace } => {
                let tracing = (&self.tracer, &self.world);
                let call = GatewayCall::begin(tracing, trace, provider, &request, attempt);
                let (gateways, timeout) = (self.gateways.clone(), self.policy.timeout);
                let effect = (*key, attempt, payments.clone());
                tokio::spawn(async move {
                    wait_for(ask(&gateways, provider, *request, call), timeout, effect).await;
                });
            }
            PaymentEffect::Rest { attempt, pause } => {
                if pause > STAYS_FOR {
                    payments.evict(key);
                }
                let (key, payments) = (*key, payments.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    payments.ask(&key, PaymentInput::PauseElapsed(attempt), Ticket::unobserved());
                });
            }
        }
    }

    fn at_rest(&self, state: &PaymentMemory) -> bool {
        state.payment.as_ref().is_none_or(|payment| payment.asking.is_none())
    }
}

impl PaymentRules {
    fn effect(&self, payment: &Payment, effect: Effect, now: Now<'_>) -> Option<PaymentEffect> {
        let attempt = payment.attempts;
        match effect {
            Effect::Rest(pause) => Some(PaymentEffect::Rest { attempt, pause }),
            Effect::Ask => {
                let (provider, request) = (payment.provider, Box::new(payment.request(now)?));
                let trace = self.tracer.sampled(&payment.origin);
                Some(PaymentEffect::Ask { attempt, provider, request, trace })
            }
        }
    }
}

/// A person should know: said once, when it comes up.
fn log_attention(before: Option<&Payment>, payment: &Payment) {
    let earlier = before.and_then(|before| before.attention);
    if let Some(attention) = payment.attention
        && earlier != Some(attention)
    {
        let (order_id, trace_id) = (payment.origin.order_id, payment.origin.trace_id());
        tracing::warn!(service = "payment", %order_id, trace_id, %attention, "a payment needs attention");
    }
}

/// Waits for the gateway's answer, and tells it to the payment: also that there is none, and what then comes
/// late.
async fn wait_for(
    asking: impl Future<Output = Result<GatewayPayment, GatewayError>>,
    timeout: Duration,
    (key, attempt, payments): (OrderId, u32, Payments),
) {
    let answered = |result: Result<GatewayPayment, GatewayError>| {
        if let Err(error) = &result {
            tracing::warn!(service = "payment", order_id = %key, attempt, %error, "gateway request failed");
        }
        let answer = GatewayAnswer { attempt, result };
        payments.ask(&key, PaymentInput::Answered(answer), Ticket::unobserved());
    };
    tokio::pin!(asking);
    let soon = timeout.min(STAYS_FOR);
    if let Ok(result) = tokio::time::timeout(soon, &mut asking).await {
        return answered(result);
    }
    if timeout > soon {
        payments.evict(&key);
        if let Ok(result) = tokio::time::timeout(timeout - soon, &mut asking).await {
            return answered(result);
        }
    }
    answered(Err(GatewayError::Unknown(format!("no answer within {timeout:?}"))));
    // A late answer is an answer; late silence says nothing new.
    if let Ok(result @ Ok(_)) = tokio::time::timeout(LATE_MAX, asking).await {
        answered(result);
    }
}

async fn ask(
    gateways: &Gateways,
    provider: Provider,
    request: GatewayRequest,
    call: GatewayCall,
) -> Result<GatewayPayment, GatewayError> {
    let answer = gateways.ask(provider, request).await;
    call.answered(&answer);
    faults::passes(Point::GatewayAnswered);
    answer
}
