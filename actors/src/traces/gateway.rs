//! The span of a request to a payment gateway.

use super::{ORDER_ID, SERVICE, SpanKind, SpanRecord, Tracer};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::messages::{TraceContext, span_id};
use ordermill_domain::payment::{GatewayError, GatewayRequest, Provider};

/// A request under way. Recorded when it is dropped: one that was given up has no answer.
pub struct GatewayCall(Option<Open>);

struct Open {
    tracer: Tracer,
    world: World,
    trace: TraceContext,
    start: Timestamp,
    provider: Provider,
    request: GatewayRequest,
    attempt: u32,
    error: Option<String>,
}

impl GatewayCall {
    /// Begins; `trace` is the order's. None: it is not recorded.
    pub fn begin(
        (tracer, world): (&Tracer, &World),
        trace: Option<TraceContext>,
        provider: Provider,
        request: &GatewayRequest,
        attempt: u32,
    ) -> Self {
        Self(trace.map(|trace| Open {
            tracer: tracer.clone(),
            world: world.clone(),
            trace,
            start: world.now(),
            provider,
            request: request.clone(),
            attempt,
            error: Some("no answer".to_owned()),
        }))
    }

    /// The gateway has answered, or cannot be asked.
    pub fn answered<A>(mut self, answer: &Result<A, GatewayError>) {
        if let Some(open) = &mut self.0 {
            open.error = answer.as_ref().err().map(GatewayError::to_string);
        }
    }
}

impl Drop for GatewayCall {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else { return };
        let Open { tracer, world, trace, start, provider, request, attempt, error } = open;
        let (order, operation) = (request.subject.order_id, request.operation.name());
        let mut attributes = vec![
            (ORDER_ID, order.to_string().into()),
            (SERVICE, "payment".into()),
            ("ordermill.gateway", provider.to_string().into()),
            ("ordermill.gateway.operation", operation.into()),
            ("ordermill.attempt", attempt.into()),
        ];
        if error.is_some() {
            attributes.push(("error.type", "gateway".into()));
        }
        tracer.record(SpanRecord {
            trace_id: trace.trace_id,
            span_id: span_id(order.0, &format!("gateway {attempt}")),
            parent: Some(trace.span_id),
            kind: SpanKind::Client,
            name: format!("{operation} {provider}").into(),
            start,
            end: world.now(),
            attributes,
            links: Vec::new(),
            error,
        });
    }
}
