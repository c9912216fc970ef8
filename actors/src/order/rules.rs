//! The saga as an entity: what it loads, decides and does.

use super::measured::Earlier;
use super::reads::OrderReads;
use crate::faults::{self, Point};
use crate::metrics::{OrderMetrics, OrderObservation, TraceLabel};
use crate::ports::ReadError;
use crate::runtime::directory::Directory;
use crate::runtime::entity::{Entities, EntityDecision, EntityRules};
use crate::traces::{OrderSpan, Tracer};
use async_trait::async_trait;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, OrderDetails, Origin};
use ordermill_domain::order::awaited::awaited;
use ordermill_domain::order::decide::{DecideInput, decide};
use ordermill_domain::order::decision::SagaDecision;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::record::{Record, postpone, record, resend, touch};
use ordermill_domain::order::republish::republish;
use ordermill_domain::order::service::{Change, OrderAnswer};
use ordermill_domain::order::{Claim, Order, OrderStatus, Saga, SagaPolicy, SagaStatus};
use ordermill_domain::planted::{Bug, planted};
use std::sync::Arc;
use std::time::Duration;

/// All sagas in memory.
pub type Sagas = Directory<Entities<SagaRules>>;

/// A saga that only waits for its time stays in memory when that comes within this; else it leaves, and is read
/// again then.
const STAYS_FOR: Duration = Duration::from_secs(5);

/// An input of a saga.
#[derive(Debug)]
pub enum SagaInput {
    /// Accept a new order.
    Place {
        /// The flow and plan, and the request that placed it.
        origin: Origin,
        /// The contents of the order.
        details: Arc<OrderDetails>,
        /// The request's idempotency key.
        claim: Option<Claim>,
    },
    /// Decide an input of an existing order.
    Decide(DecideInput),
    /// Republish the messages of the order.
    Restate,
}

/// The reply of a saga.
#[derive(Debug, PartialEq, Eq)]
pub enum SagaReply {
    /// It is accepted, or was before under the same id.
    Placed(Arc<Saga>),
    /// The same request made this order before.
    Replayed(OrderId),
    /// The idempotency key stands for another request.
    KeyReused,
    /// It is noted; the order has this status now.
    Acknowledged(OrderStatus),
    /// It is not possible in this status.
    Conflict(OrderStatus, &'static str),
    /// There is no such order.
    Unknown,
}

/// The effect of a decision, once it is committed.
#[derive(Debug)]
pub enum SagaEffect {
    /// It is counted.
    Count(Flow, Option<TraceLabel>, Vec<OrderObservation>),
    /// Metrics and the log are told of the new status.
    Reached(SagaReached),
}

/// A saga has come to a status in which it stays.
#[derive(Debug)]
pub struct SagaReached {
    order_id: OrderId,
    origin: Origin,
    span: Option<OrderSpan>,
    status: OrderStatus,
    saga_status: SagaStatus,
    /// It is the first such status of the order.
    first: bool,
    after: Duration,
}

/// The rules of sagas.
pub struct SagaRules {
    /// The database.
    pub reads: Arc<dyn OrderReads>,
    /// How patient they are.
    pub policy: SagaPolicy,
    /// Time and ids.
    pub world: World,
    /// What is counted of them.
    pub metrics: OrderMetrics,
    /// Where orders are recorded.
    pub tracer: Tracer,
}

#[async_trait]
impl EntityRules for SagaRules {
    type Service = Order;
    type Key = OrderId;
    type State = Option<Saga>;
    type Input = SagaInput;
    type Reply = SagaReply;
    type Effect = SagaEffect;
    const KIND: &'static str = "saga";

    fn name_of(input: &SagaInput) -> &'static str {
        match input {
            SagaInput::Place { .. } => "place",
            SagaInput::Decide(input) => input.name(),
            SagaInput::Restate => "restate",
        }
    }

    async fn load(&self, key: &OrderId) -> Result<Option<Saga>, ReadError> {
        self.reads.order(*key).await
    }

    /// An order that is placed is new, but for a request that is repeated.
    fn initial_state(input: &SagaInput) -> Option<Option<Saga>> {
        matches!(input, SagaInput::Place { .. }).then_some(None)
    }

    fn decide(
        &self,
        key: &OrderId,
        state: &mut Option<Saga>,
        input: &SagaInput,
    ) -> EntityDecision<Self> {
        let now = self.world.now();
        let before = state.as_ref().map_or(0, |saga| saga.version);
        let was = state.as_ref().map(Saga::saga_status);
        let earlier = state.as_ref().map(Earlier::of);
        let decide_input = match (input, &*state) {
            (SagaInput::Place { origin, details, claim }, None) => {
                let mut saga = Saga::placed(origin.clone(), details.clone(), now);
                let facts = vec![Fact::Placed];
                let Record { history, messages } =
                    record(&mut saga, facts, CUSTOMER, now, &self.policy);
                let next = Arc::new(saga.clone());
                let reply = SagaReply::Placed(next.clone());
                let (next, claim) = (Some(next), claim.clone());
                let effects = vec![counted(&saga, vec![OrderObservation::Accepted])];
                *state = Some(saga);
                let change = Change { order_id: *key, expected: 0, next, history, messages, claim };
                return EntityDecision { change: Some(change), reply, effects };
            }
            (SagaInput::Place { .. }, Some(saga)) => {
                return quiet(SagaReply::Placed(Arc::new(saga.clone())));
            }
            (_, None) => return quiet(SagaReply::Unknown),
            (SagaInput::Decide(input), Some(_)) => input,
            (SagaInput::Restate, Some(saga))
                if awaited(&saga.facts, saga.origin.plan).is_empty() =>
            {
                let (reply, messages) = (SagaReply::Acknowledged(saga.status()), republish(saga));
                let change = Change { messages, ..self.nothing(key, state) };
                return EntityDecision { change: Some(change), reply, effects: Vec::new() };
            }
            (SagaInput::Restate, Some(_)) => &DecideInput::Retry,
        };
        let Some(saga) = state.as_mut() else { return quiet(SagaReply::Unknown) };
        let cause = cause(decide_input);
        let mut observations = Vec::new();
        let is_due = matches!(decide_input, DecideInput::Due { .. });
        if is_due {
            // A sweeper's claim has moved it: it is written anew, or the order would be claimed again.
            saga.due_at = None;
        }
        let (history, messages) = match decide(saga, decide_input, now, &self.policy) {
            SagaDecision::Known if is_due => {
                touch(saga, now, &self.policy);
                (Vec::new(), Vec::new())
            }
            SagaDecision::Known => return quiet(SagaReply::Acknowledged(saga.status())),
            SagaDecision::Postponed => {
                postpone(saga, now, &self.policy);
                (Vec::new(), Vec::new())
            }
            SagaDecision::Conflict(why) => {
                // A no is checked as a yes is: another process may have made it possible meanwhile.
                let reply = SagaReply::Conflict(saga.status(), why);
                let change = (!planted(Bug::RefuseFromMemory)).then(|| self.nothing(key, state));
                return EntityDecision { change, reply, effects: Vec::new() };
            }
            SagaDecision::Learned(facts) => {
                let Record { history, messages } = record(saga, facts, cause, now, &self.policy);
                (history, messages)
            }
            SagaDecision::Resend(facts) => {
                observations.push(OrderObservation::Resent(saga.step()));
                let asked = facts.contains(&Fact::RetryAsked);
                let Record { history, mut messages } = if facts.is_empty() {
                    Record::default()
                } else {
                    record(saga, facts, cause, now, &self.policy)
                };
                messages.extend(resend(saga, now, &self.policy));
                if asked {
                    saga.sending.again = 0;
                }
                (history, messages)
            }
        };
        if saga.saga_status() == SagaStatus::Compensating {
            faults::passes(Point::Compensating);
        }
        let next = Some(Arc::new(saga.clone()));
        if let Some(earlier) = earlier {
            observations.extend(earlier.observe(saga, &history, cause == DEADLINE, now));
        }
        let mut effects = reached(was, saga, &self.tracer, &mut observations);
        if !observations.is_empty() {
            effects.push(counted(saga, observations));
        }
        let reply = SagaReply::Acknowledged(saga.status());
        let change =
            Change { order_id: *key, expected: before, next, history, messages, claim: None };
        EntityDecision { change: Some(change), reply, effects }
    }

    fn nothing(&self, key: &OrderId, state: &Option<Saga>) -> Change {
        Change {
            order_id: *key,
            expected: state.as_ref().map_or(0, |saga| saga.version),
            next: None,
            history: Vec::new(),
            messages: Vec::new(),
            claim: None,
        }
    }

    fn answer(reply: SagaReply, answer: OrderAnswer) -> SagaReply {
        match answer {
            OrderAnswer::Written => reply,
            OrderAnswer::Replayed(order) => SagaReply::Replayed(order),
            OrderAnswer::KeyReused => SagaReply::KeyReused,
        }
    }

    fn is_written(answer: &OrderAnswer) -> bool {
        *answer == OrderAnswer::Written
    }

    fn perform(&self, _: &OrderId, effect: SagaEffect, _: &Sagas) {
        let reached = match effect {
            SagaEffect::Count(flow, trace, observations) => {
                for observation in observations {
                    self.metrics.observe(observation, flow, trace.clone());
                }
                return;
            }
            SagaEffect::Reached(reached) => reached,
        };
        let SagaReached { order_id, origin, span, status, saga_status, first, after } = reached;
        if let Some(span) = span.filter(|_| first) {
            span.record(&self.tracer);
        }
        let request_id = origin.request_id.as_deref().unwrap_or_default();
        let trace_id = origin.trace_id();
        let (status, saga) = (status.as_str(), saga_status.as_str());
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        if saga_status == SagaStatus::Failed {
            tracing::error!(
                service = "order", %order_id, request_id, trace_id, status, saga,
                "saga FAILED: inspect GET /admin/sagas/{order_id}, then retry it"
            );
        } else if first {
            // The only line at this level that every order has.
            tracing::info!(service = "order", %order_id, request_id, trace_id, status, saga, after_ms, "order is at rest");
        } else {
            tracing::debug!(service = "order", %order_id, request_id, trace_id, status, saga, after_ms, "order is at rest");
        }
    }

    fn at_rest(&self, state: &Option<Saga>) -> bool {
        state.as_ref().is_none_or(|saga| saga.is_at_rest() || waits_long(saga))
    }
}

/// True when no service owes it an answer and nobody looks at it soon: a confirmed order whose dispatch is
/// due one day, or one whose customer has a page to pay at.
fn waits_long(saga: &Saga) -> bool {
    let soon = saga.updated_at + STAYS_FOR;
    let owes_nothing = awaited(&saga.facts, saga.origin.plan).is_empty();
    saga.due_at.is_some_and(|at| at > soon) && (owes_nothing || saga.facts.open_page().is_some())
}

fn quiet(reply: SagaReply) -> EntityDecision<SagaRules> {
    EntityDecision { change: None, reply, effects: Vec::new() }
}

/// The causes in an order's history, beside the names of messages.
pub const CAUSES: [&str; 3] = [CUSTOMER, OPERATOR, DEADLINE];
/// The customer asked.
const CUSTOMER: &str = "customer";
/// An operator asked.
const OPERATOR: &str = "operator";
/// A time has come.
const DEADLINE: &str = "deadline";

fn cause(input: &DecideInput) -> &'static str {
    match input {
        DecideInput::Message(message) => message.kind().as_str(),
        DecideInput::Cancel | DecideInput::Deliver => CUSTOMER,
        DecideInput::Dispatch | DecideInput::Retry => OPERATOR,
        DecideInput::Due { .. } => DEADLINE,
    }
}

fn counted(saga: &Saga, observations: Vec<OrderObservation>) -> SagaEffect {
    SagaEffect::Count(saga.origin.flow, TraceLabel::of(&saga.origin), observations)
}

/// Seen when a saga comes to a status that it stays in.
fn reached(
    was: Option<SagaStatus>,
    saga: &Saga,
    tracer: &Tracer,
    observations: &mut Vec<OrderObservation>,
) -> Vec<SagaEffect> {
    let saga_status = saga.saga_status();
    let stays =
        matches!(saga_status, SagaStatus::Completed | SagaStatus::Compensated | SagaStatus::Failed);
    if !stays || was == Some(saga_status) {
        return Vec::new();
    }
    let after = (saga.updated_at - saga.created_at).to_std().unwrap_or_default();
    observations.push(OrderObservation::AtRest(saga_status, after));
    vec![SagaEffect::Reached(SagaReached {
        order_id: saga.order_id(),
        origin: saga.origin.slim(),
        span: OrderSpan::of(tracer, saga),
        status: saga.status(),
        saga_status,
        first: saga.facts.confirmed_at.is_none_or(|at| at == saga.updated_at),
        after,
    })]
}
