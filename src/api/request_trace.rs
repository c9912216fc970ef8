//! The trace of a request: a client's `traceparent` is continued, and the request becomes a span.
//!
//! ```text
//! the client's span ─▶ POST /orders (SERVER) ─▶ order ─▶ everything else of the order
//! ```
//!
//! Whether the trace is sampled is decided here, once. A `tracestate` is not passed on.

use crate::api::routes::Routes;
use ordermill_actors::metrics::TraceLabel;
use ordermill_actors::order::RequestContext;
use ordermill_actors::traces::{
    ORDER_ID, SampledBy, SpanKind, SpanRecord, Tracer, Value, own_trace, server_span_id,
};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{TraceContext, span_id};
use poem::http::{Method, StatusCode, Uri, header};
use poem::{PathPattern, Request, Response};
use std::sync::{Arc, OnceLock};

/// The header.
const TRACEPARENT: &str = "traceparent";

/// Requests that are asked all the time, and are nobody's work.
const UNTRACED: [&str; 3] = ["/health", "/ready", "/metrics"];

tokio::task_local! {
    static CURRENT: Arc<RequestTrace>;
}

/// Makes the traces of requests.
#[derive(Clone)]
pub struct RequestTraces {
    /// Where spans are recorded.
    pub tracer: Tracer,
    /// Time and ids.
    pub world: World,
}

impl RequestTraces {
    /// Begins the trace of a request.
    pub fn begin(&self, request: &Request) -> Arc<RequestTrace> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let is_on = self.tracer.is_on();
        Arc::new(RequestTrace {
            traces: self.clone(),
            client: header(TRACEPARENT).and_then(TraceContext::parse),
            order: OnceLock::new(),
            start: self.world.now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            host: header(header::HOST.as_str()).filter(|_| is_on).map(str::to_owned),
            agent: header(header::USER_AGENT.as_str()).filter(|_| is_on).map(str::to_owned),
            answer: OnceLock::new(),
        })
    }
}

/// The trace of one request. Its span is recorded when it is dropped: also when the client does not wait for the
/// answer, because an order may have been placed by then.
pub struct RequestTrace {
    traces: RequestTraces,
    client: Option<TraceContext>,
    /// The order that it places.
    order: OnceLock<(OrderId, TraceContext)>,
    start: Timestamp,
    method: Method,
    uri: Uri,
    host: Option<String>,
    agent: Option<String>,
    answer: OnceLock<(StatusCode, Option<String>)>,
}

/// The context of the order that the current request places.
pub fn placing(world: &World, request_id: Option<Arc<str>>) -> RequestContext {
    let order_id = OrderId(world.new_id());
    let trace = CURRENT.try_with(|current| current.places(order_id)).ok();
    RequestContext { request_id, order_id: Some(order_id), trace }
}

impl RequestTrace {
    /// Runs something as this request.
    pub async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The id of its trace, for log lines: the client's, or the order's.
    pub fn trace_id(&self) -> Option<String> {
        let order = self.order.get().map(|(_, trace)| trace);
        let trace = order.or(self.client.as_ref())?;
        Some(format!("{:032x}", trace.trace_id))
    }

    /// Its trace as an exemplar of metrics, when it is sampled.
    pub fn exemplar(&self) -> Option<TraceLabel> {
        let order = self.order.get().map(|(_, trace)| *trace);
        order.or(self.client).filter(|trace| trace.sampled).map(TraceLabel::from)
    }

    /// It is answered.
    pub fn answered(&self, response: &Response, known: &Routes) {
        if self.traces.tracer.is_on() {
            let route = response.data::<PathPattern>().and_then(|path| known.name(&path.0));
            let _ = self.answer.set((response.status(), route.map(str::to_owned)));
        }
    }

    fn places(&self, order: OrderId) -> TraceContext {
        let tracer = &self.traces.tracer;
        let trace = match self.client {
            Some(client) => {
                TraceContext { sampled: tracer.samples(SampledBy::Client(client)), ..client }
            }
            None => own_trace(order, tracer.samples(SampledBy::OwnId(order.0))),
        };
        let _ = self.order.set((order, trace));
        trace
    }

    /// Its trace and its span's id, when they are recorded.
    fn sampled(&self) -> Option<(u128, u64)> {
        if let Some((order, trace)) = self.order.get() {
            return trace.sampled.then_some((trace.trace_id, server_span_id(*order)));
        }
        let path = self.uri.path();
        if UNTRACED.contains(&path) || path.ends_with("/events") {
            return None;
        }
        let id = self.traces.world.new_id();
        let (by, trace) = match self.client {
            Some(client) => (SampledBy::Client(client), client.trace_id),
            None => (SampledBy::OwnId(id), id.as_u128()),
        };
        self.traces.tracer.samples(by).then(|| (trace, span_id(id, "request")))
    }

    fn attributes(&mut self) -> Vec<(&'static str, Value)> {
        let mut attributes = vec![
            ("http.request.method", self.method.to_string().into()),
            ("url.path", self.uri.path().to_owned().into()),
            ("url.scheme", "http".into()),
        ];
        let order = self.order.get().map(|(order, _)| order.to_string());
        let host = self.host.take().map(|host| match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
            _ => host,
        });
        for (name, value) in [
            (ORDER_ID, order),
            ("server.address", host),
            ("user_agent.original", self.agent.take()),
        ] {
            attributes.extend(value.map(|value| (name, value.into())));
        }
        attributes
    }
}

impl Drop for RequestTrace {
    fn drop(&mut self) {
        if !self.traces.tracer.is_on() {
            return;
        }
        let Some((trace_id, span_id)) = self.sampled() else { return };
        let mut attributes = self.attributes();
        let (status, route) = self.answer.take().unzip();
        let route = route.flatten();
        let name = match &route {
            Some(route) => format!("{} {route}", self.method),
            None => self.method.to_string(),
        };
        attributes.extend(route.map(|route| ("http.route", route.into())));
        let error = match status {
            None => Some(("client_closed", "the client did not wait for the answer".to_owned())),
            Some(status) if status.is_server_error() => Some(("server_error", status.to_string())),
            Some(_) => None,
        };
        if let Some(status) = status {
            let code = u32::from(status.as_u16());
            attributes.push(("http.response.status_code", code.into()));
        }
        attributes.extend(error.as_ref().map(|(kind, _)| ("error.type", (*kind).into())));
        self.traces.tracer.record(SpanRecord {
            trace_id,
            span_id,
            parent: self.client.map(|client| client.span_id),
            kind: SpanKind::Server,
            name: name.into(),
            start: self.start,
            end: self.traces.world.now(),
            attributes,
            links: Vec::new(),
            error: error.map(|(_, why)| why),
        });
    }
}
