//! The payment as an actor: `payment/<order_id>`, in memory while the gateway is asked.
//!
//! The gateway is asked from a task of its own, which brings the answer to the order's key: to this
//! actor, or to the next one of its name. A task that dies with its process is made good by
//! the [`sweeper`](super::sweeper).

use super::gateway_port::Gateway;
use super::reads::PaymentReads;
use crate::faults::{self, Point};
use crate::ports::ReadError;
use crate::runtime::directory::Directory;
use crate::runtime::entity::{Entities, EntityDecision, EntityRules};
use crate::runtime::ticket::Ticket;
use async_trait::async_trait;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    Effect, GatewayAnswer, GatewayReply, NotificationOutcome, Now, OldGatewayError, Payment,
    PaymentChange, PaymentInput, PaymentPolicy, PaymentReply, PaymentService, Question, apply,
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
    /// The gateway.
    pub gateway: Arc<dyn Gateway>,
    /// How the gateway is waited for.
    pub policy: PaymentPolicy,
    /// Time and ids.
    pub world: World,
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
    /// Put a question to the gateway.
    Ask {
        /// Its number.
        attempt: u32,
        /// The question.
        question: Question,
    },
    /// Wait after a question.
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
            PaymentInput::Refund(_) => "refund",
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
        let written = !decision.events.is_empty();
        for event in decision.events {
            let after = apply(state.payment.take(), event, now.at)
                .expect("the decider's events fit the payment that it decided on");
            state.payment = Some(after);
        }
        state.version += u64::from(written);
        let (mut message, mut effects) = (None, Vec::new());
        if let Some(payment) = &state.payment {
            let attempt = payment.attempts;
            for effect in decision.effects {
                match effect {
                    Effect::Tell => message = payment.outcome(),
                    Effect::Rest(pause) => effects.push(PaymentEffect::Rest { attempt, pause }),
                    Effect::Ask => {
                        let question = payment.question();
                        effects.extend(
                            question.map(|question| PaymentEffect::Ask { attempt, question }),
                        );
                    }
                }
            }
        }
        let notification = match input {
            PaymentInput::Notified(received) => Some(received.clone()),
            _ => None,
        };
        let changed = written || message.is_some() || notification.is_some();
        let change = changed.then(|| PaymentChange {
            order_id: Some(*key),
            expected,
            payment: state.payment.clone().filter(|_| written).map(Arc::new),
            messages: message.into_iter().collect(),
            notification,
        });
        EntityDecision { change, reply: PaymentReply::default(), effects }
    }

    fn nothing(&self, key: &OrderId, state: &PaymentMemory) -> PaymentChange {
        PaymentChange::nothing(*key, state.version)
    }

    fn answer(reply: PaymentReply, answer: Option<NotificationOutcome>) -> PaymentReply {
        answer.map_or(reply, PaymentReply::Notification)
    }

    fn perform(&self, key: &OrderId, effect: PaymentEffect, payments: &Payments) {
        match effect {
            PaymentEffect::Ask { attempt, question } => {
                let (gateway, timeout) = (self.gateway.clone(), self.policy.timeout);
                let effect = (*key, attempt, payments.clone());
                tokio::spawn(
                    async move { wait_for(ask(&*gateway, question), timeout, effect).await },
                );
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
        state.payment.as_ref().is_none_or(|payment| payment.asking().is_none())
    }
}

/// Waits for the gateway's answer, and tells it to the payment: also that there is none, and what then comes
/// late.
async fn wait_for(
    asking: impl Future<Output = Result<GatewayReply, OldGatewayError>>,
    timeout: Duration,
    (key, attempt, payments): (OrderId, u32, Payments),
) {
    let answered = |result: Result<GatewayReply, OldGatewayError>| {
        if let Err(error) = &result {
            tracing::warn!(
                service = "payment", order_id = %key, attempt, %error, "gateway request failed; trying again"
            );
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
    answered(Err(OldGatewayError::Timeout));
    // A late answer is an answer; late silence says nothing new.
    if let Ok(result @ Ok(_)) = tokio::time::timeout(LATE_MAX, asking).await {
        answered(result);
    }
}

async fn ask(gateway: &dyn Gateway, question: Question) -> Result<GatewayReply, OldGatewayError> {
    let answer = match question {
        Question::Charge(request) => gateway.charge(request).await.map(GatewayReply::Charge),
        Question::Void(key) => gateway.void(key).await.map(GatewayReply::Undone),
        Question::Refund(key, amount) => {
            gateway.refund(key, amount).await.map(GatewayReply::Undone)
        }
    };
    faults::passes(Point::GatewayAnswered);
    answer
}
