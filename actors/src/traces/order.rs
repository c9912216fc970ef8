//! The order's own span, and the span of the request that placed it.

use super::{ORDER_ID, SERVICE, SpanKind, SpanRecord, Tracer};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{TraceContext, span_id};
use ordermill_domain::order::{OrderStatus, Saga, SagaStatus};

/// The trace that an order begins itself: the order's id is the trace's, so that either is found by the other.
pub fn own_trace(order: OrderId, sampled: bool) -> TraceContext {
    let (trace_id, span_id) = (order.0.as_u128(), order_span_id(order));
    TraceContext { trace_id, span_id, sampled, random: false }
}

/// The id of the order's span, below which all others of the order are.
pub fn order_span_id(order: OrderId) -> u64 {
    span_id(order.0, "span")
}

/// The id of the span of the request that placed it.
pub fn server_span_id(order: OrderId) -> u64 {
    span_id(order.0, "POST /orders")
}

/// The span of an order that comes to rest.
#[derive(Clone, Copy, Debug)]
pub struct OrderSpan {
    order: OrderId,
    trace: TraceContext,
    start: Timestamp,
    end: Timestamp,
    status: OrderStatus,
    saga: SagaStatus,
}

impl OrderSpan {
    /// The span of an order as it stands now. None: it is not recorded.
    pub fn of(tracer: &Tracer, saga: &Saga) -> Option<Self> {
        Some(Self {
            order: saga.order_id(),
            trace: tracer.sampled(&saga.origin)?,
            start: saga.created_at,
            end: saga.updated_at,
            status: saga.status(),
            saga: saga.saga_status(),
        })
    }

    /// Records it.
    pub fn record(self, tracer: &Tracer) {
        let Self { order, trace, start, end, status, saga } = self;
        let failed = saga == SagaStatus::Failed;
        tracer.record(SpanRecord {
            trace_id: trace.trace_id,
            span_id: trace.span_id,
            parent: Some(server_span_id(order)),
            kind: SpanKind::Internal,
            name: "order".into(),
            start,
            end,
            attributes: vec![
                (ORDER_ID, order.to_string().into()),
                (SERVICE, "order".into()),
                ("ordermill.order.status", status.as_str().into()),
                ("ordermill.saga.status", saga.as_str().into()),
            ],
            links: Vec::new(),
            error: failed.then(|| "the compensation did not finish in time".to_owned()),
        });
    }
}
