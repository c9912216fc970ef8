//! The order service as the API sees it.

use super::rules::{SagaInput, SagaReply, Sagas};
use crate::runtime::request::{self, LATE, RequestError};
use crate::traces::{order_span_id, own_trace};
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, OrderDetails, Origin, Plan, TraceContext};
use ordermill_domain::order::decide::DecideInput;
use ordermill_domain::order::{Claim, OrderStatus, Saga};
use std::sync::Arc;
use thiserror::Error;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// No such order.
    #[error("there is no such order")]
    NotFound,
    /// Not possible in this status.
    #[error("{why} (status: {})", status.as_str())]
    Conflict {
        /// The order's status.
        status: OrderStatus,
        /// Why not.
        why: &'static str,
    },
    /// The idempotency key stands for another request.
    #[error("this Idempotency-Key was used with a different request")]
    KeyReused,
    /// Its actor has failed too often, and is left alone until an operator releases it.
    #[error(
        "the actor `saga/{0}` of the order failed too often and is quarantined; an operator must release it"
    )]
    Quarantined(OrderId),
    /// The database refuses to store it, and will refuse it again. Nothing was written.
    #[error("the order database rejects this request permanently: {0}")]
    Impossible(String),
    /// Nobody could decide it in time. It may still come to be done.
    #[error("the order service {LATE}")]
    Unavailable,
}

/// The context of a request that places an order, for logs and traces.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// Its `X-Request-ID`.
    pub request_id: Option<Arc<str>>,
    /// The id that the order gets. None: a new one.
    pub order_id: Option<OrderId>,
    /// The trace that the order belongs to. None: its own, which is not sampled.
    pub trace: Option<TraceContext>,
}

impl RequestContext {
    /// What the order's messages carry: everything of the order is below the order's own span.
    fn origin(self, order_id: OrderId, flow: Flow, plan: Plan) -> Origin {
        let Self { request_id, order_id: _, trace } = self;
        let trace = trace.unwrap_or_else(|| own_trace(order_id, false));
        let trace = TraceContext { span_id: order_span_id(order_id), ..trace };
        let traceparent = Some(trace.traceparent());
        Origin { request_id, traceparent, ..Origin::new(order_id, flow, plan) }
    }
}

/// How an accepted request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The order's status.
    pub status: OrderStatus,
}

/// An accepted order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub order_id: OrderId,
    /// The order as it was accepted. None: it was, when the same request was here before.
    pub saga: Option<Arc<Saga>>,
    /// True when the same request made it before.
    pub replayed: bool,
}

/// Takes orders, and what is asked of them. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    sagas: Sagas,
    world: World,
    flow: Flow,
    plan: Plan,
}

impl Orders {
    /// The orders of these sagas; new ones go by this flow and plan.
    pub fn new(sagas: Sagas, world: World, flow: Flow, plan: Plan) -> Self {
        Self { sagas, world, flow, plan }
    }

    /// Accepts an order. When it returns `Ok`, the order is durable and its first command will be sent.
    ///
    /// `key` is the request's idempotency key and a digest of what it orders.
    pub async fn place(
        &self,
        details: OrderDetails,
        context: RequestContext,
        key: Option<(String, Vec<u8>)>,
    ) -> Result<Placed, AskError> {
        let order_id = context.order_id.unwrap_or_else(|| OrderId(self.world.new_id()));
        let origin = context.origin(order_id, self.flow, self.plan());
        let claim = key.map(|(key, fingerprint)| Claim { key, fingerprint, order_id });
        let details = Arc::new(details);
        let place = || SagaInput::Place {
            origin: origin.clone(),
            details: details.clone(),
            claim: claim.clone(),
        };
        match self.ask(order_id, place).await? {
            SagaReply::Replayed(order_id) => Ok(Placed { order_id, saga: None, replayed: true }),
            SagaReply::KeyReused => Err(AskError::KeyReused),
            SagaReply::Placed(saga) => Ok(Placed { order_id, saga: Some(saga), replayed: false }),
            SagaReply::Acknowledged(_) | SagaReply::Conflict(..) | SagaReply::Unknown => {
                Err(AskError::Unavailable)
            }
        }
    }

    /// Asks for the order's end; it is undone from then on.
    pub async fn cancel(&self, id: OrderId) -> Result<Asked, AskError> {
        self.request(id, DecideInput::Cancel).await
    }

    /// Asks for the parcel to leave.
    pub async fn dispatch(&self, id: OrderId) -> Result<Asked, AskError> {
        self.request(id, DecideInput::Dispatch).await
    }

    /// Notes that the customer has it.
    pub async fn deliver(&self, id: OrderId) -> Result<Asked, AskError> {
        self.request(id, DecideInput::Deliver).await
    }

    /// Sends what the saga waits for again, at once.
    pub async fn retry(&self, id: OrderId) -> Result<Asked, AskError> {
        self.request(id, DecideInput::Retry).await
    }

    /// Says again what was said of the order, and asks the services again for their outcomes.
    pub async fn restate(&self, id: OrderId) -> Result<Asked, AskError> {
        self.ask(id, || SagaInput::Restate).await.and_then(acknowledged)
    }

    async fn request(&self, id: OrderId, input: DecideInput) -> Result<Asked, AskError> {
        self.ask(id, || SagaInput::Decide(input.clone())).await.and_then(acknowledged)
    }

    /// Choreographed, the services know one chain only, which begins with the payment.
    fn plan(&self) -> Plan {
        match self.flow {
            Flow::Orchestrated => self.plan,
            Flow::Choreographed => Plan::PaymentFirst,
        }
    }

    async fn ask(&self, id: OrderId, input: impl Fn() -> SagaInput) -> Result<SagaReply, AskError> {
        request::ask(|ticket| self.sagas.ask(&id, input(), ticket)).await.map_err(|why| match why {
            RequestError::Failed(_) if self.sagas.is_quarantined(&id) => AskError::Quarantined(id),
            RequestError::Impossible(cause) => AskError::Impossible(cause),
            RequestError::Failed(_) | RequestError::Late => AskError::Unavailable,
        })
    }
}

fn acknowledged(reply: SagaReply) -> Result<Asked, AskError> {
    match reply {
        SagaReply::Acknowledged(status) => Ok(Asked { status }),
        SagaReply::Conflict(status, why) => Err(AskError::Conflict { status, why }),
        SagaReply::Unknown
        | SagaReply::Placed(_)
        | SagaReply::Replayed(_)
        | SagaReply::KeyReused => Err(AskError::NotFound),
    }
}
