//! /orders: placing, looking, and what is asked of an order.

use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::limits::IDEMPOTENCY_KEY_MAX;
use crate::api::new_order::{self, NewOrder};
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::views::{OrderView, PlacedView};
use crate::api::word::Word;
use crate::api::{cursor, events, payment_wait, request_id, request_trace, validate};
use ordermill_actors::order::{AskError, Asked, OrderFilter, Orders, Placed, RequestContext};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::OrderDetails;
use ordermill_domain::order::{OrderStatus, Saga, SagaStatus};
use poem::http::StatusCode;
use poem::web::sse::SSE;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiResponse, Object, OpenApi};
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

/// An accepted order.
#[derive(ApiResponse)]
pub enum Accepted {
    /// The order is durable, and its saga has started.
    #[oai(status = 201)]
    Created(
        Json<PlacedView>,
        /// The path of the order.
        #[oai(header = "Location")]
        String,
        /// `true` if an earlier request with the same key created the order.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
}

/// Orders, newest first.
#[derive(Object)]
struct OrderList {
    /// The orders of this page.
    orders: Vec<OrderView>,
    /// Orders of this page whose stored data is unreadable; the log contains the cause.
    #[oai(default, skip_serializing_if_is_empty)]
    unreadable: Vec<Uuid>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The request is accepted and will be executed.
#[derive(Object)]
pub struct NotedView {
    /// The order.
    order_id: Uuid,
    /// The current status of the order.
    status: Word<OrderStatus>,
}

/// What was asked of an order.
#[derive(ApiResponse)]
pub enum Acknowledged {
    /// Accepted: it will be done.
    #[oai(status = 202)]
    Accepted(Json<NotedView>),
}

/// What is asked is noted.
pub fn acknowledged(order: OrderId, asked: Asked) -> Acknowledged {
    Acknowledged::Accepted(Json(NotedView { order_id: order.0, status: asked.status.into() }))
}

/// A customer by either name; both may be there when they say the same.
fn one_customer(customer: Option<String>, user: Option<String>) -> Result<Option<String>, Problem> {
    if customer.is_some() && user.is_some() && customer != user {
        let message = "differs from customer_id; send only one of them";
        return Err(Problem::bad_parameter("user_id", message));
    }
    Ok(customer.or(user))
}

/// The routes.
pub struct OrdersApi(pub State);

#[OpenApi(tag = "Group::Orders")]
impl OrdersApi {
    /// Place an order
    ///
    /// Responds as soon as the order is durable; reservation, payment and shipment follow
    /// asynchronously. With an `Idempotency-Key` a repeated request creates one order, for at least
    /// 24 hours.
    #[oai(path = "/orders", method = "post")]
    async fn place(
        &self,
        request: &poem::Request,
        body: Raw<NewOrder>,
        /// A key that identifies this request: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        _key: Header<Option<String>>,
    ) -> Result<Accepted, Problem> {
        let key = idempotency_key(request)?;
        let details = new_order::check(body.parse()?, &self.0.payments)?;
        self.0.admit().await?;
        let context = request_trace::placing(&self.0.world, request_id::shared());
        let orders = &self.0.services.order()?.orders;
        let placed = match key {
            None => orders.place(details, context, None).await?,
            Some(key) => place_once(orders, key, details, context).await?,
        };
        let view = match &placed.saga {
            Some(saga) => PlacedView::of(saga),
            None => {
                let earlier = self.0.services.order()?.reads.order(placed.order_id).await?;
                PlacedView::of(&earlier.ok_or(AskError::Unavailable)?)
            }
        };
        let location = format!("/orders/{}", placed.order_id);
        let replayed = placed.replayed.then_some(true);
        Ok(Accepted::Created(Json(view), location, replayed))
    }

    /// List orders, newest first
    ///
    /// Without the status history; `GET /orders/{order_id}` includes it.
    #[oai(path = "/orders", method = "get")]
    async fn list(
        &self,
        /// Only those of this customer.
        customer_id: Query<Option<String>>,
        /// An alias of `customer_id`.
        user_id: Query<Option<String>>,
        /// Only sagas with this status.
        status: Query<Option<String>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<OrderList>, Problem> {
        let filter = OrderFilter {
            customer_id: validate::filter("customer_id", one_customer(customer_id.0, user_id.0)?)?,
            status: status.0.as_deref().map(order_status).transpose()?,
            saga_status: None,
            before: cursor::read(cursor.0.as_deref(), |key| key.parse().ok().map(OrderId))?,
        };
        let Page { orders, unreadable, next_cursor } =
            page(&self.0, &filter, validate::page(limit.0)?).await?;
        Ok(Json(OrderList { orders, unreadable, next_cursor }))
    }

    /// Get an order
    ///
    /// Includes status, payment, shipment and status history. With `wait=payment_url` the response
    /// comes as soon as there is a page where the customer can pay, or there will be none.
    #[oai(path = "/orders/:order_id", method = "get")]
    async fn order(
        &self,
        order_id: Path<String>,
        /// `payment_url`: wait for the page where the customer can pay.
        wait: Query<Option<String>>,
        /// The longest time to wait, for example `5s`: at most 30 s. Default: 5 s.
        timeout: Query<Option<String>>,
    ) -> Result<Json<OrderView>, Problem> {
        let order = id(&order_id.0)?;
        if let Some(longest) = payment_wait::longest(wait.0.as_deref(), timeout.0.as_deref())? {
            payment_wait::wait(&self.0, order, longest).await?;
        }
        Ok(Json(view_with_page(&self.0, order).await?))
    }

    /// Stream the events of an order
    ///
    /// Server-sent events: one for each entry of the order's history, from the first entry or after
    /// `Last-Event-ID`, until the order is final. The event name is the order status if the status
    /// has changed, and `step` if only the saga has advanced. `id` is the sequence number of the
    /// entry, `data` the entry as JSON (`HistoryView`). The entry that tells the page where the
    /// customer can pay contains its link while it can be paid there. After the last event a
    /// request is answered with 204, so that a browser's `EventSource` does not reconnect.
    #[oai(path = "/orders/:order_id/events", method = "get")]
    async fn events(
        &self,
        order_id: Path<String>,
        /// The id of the last received event.
        #[oai(name = "Last-Event-ID")]
        last: Header<Option<u32>>,
    ) -> Result<Stream, Problem> {
        let order = id(&order_id.0)?;
        let saga = self.0.services.order()?.reads.order(order).await?.ok_or(AskError::NotFound)?;
        // Who names an event that never was is told what comes next: past the end nothing would
        // come, not even the end.
        let seen = last.0.map_or(0, |last| last.saturating_add(1)).min(saga.history_len);
        // The row and its history are one commit: an order at its end has its last event.
        if events::is_end(saga.status()) && seen == saga.history_len {
            return Ok(Stream(None));
        }
        let stream = events::stream(&self.0, order, seen)?;
        Ok(Stream(Some(SSE::new(stream).keep_alive(KEEP_ALIVE))))
    }

    /// Cancel an order
    ///
    /// Possible until its dispatch is requested. Completed steps are compensated in reverse order:
    /// shipment, payment, stock.
    #[oai(path = "/orders/:order_id/cancel", method = "post")]
    async fn cancel(&self, order_id: Path<String>) -> Result<Acknowledged, Problem> {
        let order = id(&order_id.0)?;
        Ok(acknowledged(order, self.0.services.order()?.orders.cancel(order).await?))
    }

    /// Dispatch a confirmed order
    ///
    /// The parcel is dispatched and the reserved stock is committed. Idempotent.
    #[oai(path = "/orders/:order_id/dispatch", method = "post")]
    async fn dispatch(&self, order_id: Path<String>) -> Result<Acknowledged, Problem> {
        let order = id(&order_id.0)?;
        Ok(acknowledged(order, self.0.services.order()?.orders.dispatch(order).await?))
    }

    /// Confirm the delivery of a shipped order
    ///
    /// The order becomes `COMPLETED`. Idempotent.
    #[oai(path = "/orders/:order_id/delivery", method = "post")]
    async fn delivery(&self, order_id: Path<String>) -> Result<Acknowledged, Problem> {
        let order = id(&order_id.0)?;
        Ok(acknowledged(order, self.0.services.order()?.orders.deliver(order).await?))
    }
}

/// A silent stream says that it lives this often, for proxies that close what is silent.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stream of server-sent events, as the document knows it; none when nothing is left to tell.
pub struct Stream(Option<SSE>);

impl poem::IntoResponse for Stream {
    fn into_response(self) -> poem::Response {
        match self.0 {
            Some(events) => events.into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

impl ApiResponse for Stream {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let events = MetaMediaType { content_type: "text/event-stream", schema };
        let response = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                response(200, "A stream of server-sent events.", vec![events]),
                response(204, "The order is final, and all its events were received.", Vec::new()),
            ],
        }
    }

    fn register(_: &mut Registry) {}
}

/// The key, from the header as it came: a key that is no text must not pass for none.
pub fn idempotency_key(request: &poem::Request) -> Result<Option<String>, Problem> {
    let mut keys = request.headers().get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_taken = |key: &&str| {
        (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match key.to_str().ok().filter(is_taken) {
        Some(key) if keys.next().is_none() => Ok(Some(key.to_owned())),
        _ => {
            let message = format!(
                "must appear once, with 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters"
            );
            Err(Problem::bad_parameter("Idempotency-Key", message))
        }
    }
}

/// Places an order, unless its key stands for the same one: as it was understood, however it was
/// written down.
async fn place_once(
    orders: &Orders,
    key: String,
    details: OrderDetails,
    context: RequestContext,
) -> Result<Placed, AskError> {
    // Keys outlive an upgrade: a field that details come to have must not be written while it says
    // nothing, or every digest is another one.
    let order = serde_json::to_vec(&details).expect("what came as JSON can be written as JSON");
    let digest = Sha256::digest(order).to_vec();
    orders.place(details, context, Some((key, digest))).await
}

/// An order's id of a path.
pub fn id(text: &str) -> Result<OrderId, Problem> {
    Uuid::try_parse(text)
        .map(OrderId)
        .map_err(|_| Problem::bad_parameter("order_id", "must be a UUID, the id of an order"))
}

fn order_status(word: &str) -> Result<OrderStatus, Problem> {
    OrderStatus::parse(word).ok_or_else(|| {
        let words: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
        Problem::bad_parameter("status", format!("must be one of {}", words.join(", ")))
    })
}

/// A saga's status of a query.
pub fn saga_status(word: &str) -> Result<SagaStatus, Problem> {
    SagaStatus::parse(word).ok_or_else(|| {
        let words: Vec<_> = SagaStatus::ALL.iter().map(|status| status.as_str()).collect();
        Problem::bad_parameter("status", format!("must be one of {}", words.join(", ")))
    })
}

/// A page of orders.
pub struct Page {
    pub orders: Vec<OrderView>,
    /// Those that cannot be read.
    pub unreadable: Vec<Uuid>,
    /// Where the list goes on.
    pub next_cursor: Option<String>,
}

/// Reads a page of orders.
pub async fn page(state: &State, filter: &OrderFilter, limit: u32) -> Result<Page, Problem> {
    let listed = state.services.order()?.reads.orders(filter, limit).await?;
    let full = listed.len() == limit as usize;
    let last = listed.last().filter(|_| full).map(|listed| match listed {
        Ok(saga) => saga.order_id(),
        Err(unreadable) => unreadable.order_id,
    });
    let next_cursor = last.map(|order| cursor::write(&order.to_string()));
    let now = state.world.now();
    let mut page = Page { orders: Vec::new(), unreadable: Vec::new(), next_cursor };
    for listed in listed {
        match listed {
            Ok(saga) => page.orders.push(OrderView::of(&saga, None, now)),
            Err(error) => {
                tracing::error!(service = "http", %error, "an unreadable order is omitted from a list");
                page.unreadable.push(error.order_id.0);
            }
        }
    }
    Ok(page)
}

/// An order with its history, and without the link of its payment page.
pub async fn view(state: &State, order: OrderId) -> Result<OrderView, Problem> {
    Ok(read(state, order).await?.1)
}

/// The same with the link: for those who ask for this one order.
async fn view_with_page(state: &State, order: OrderId) -> Result<OrderView, Problem> {
    let (saga, mut view) = read(state, order).await?;
    view.payment = view.payment.with_page(saga.payment(state.world.now()).page);
    Ok(view)
}

async fn read(state: &State, order: OrderId) -> Result<(Saga, OrderView), Problem> {
    let reads = &state.services.order()?.reads;
    let saga = reads.order(order).await?.ok_or(AskError::NotFound)?;
    let history = reads.history(&[(order, 0)], HISTORY_MAX).await?;
    let view = OrderView::of(&saga, Some(&history), state.world.now());
    Ok((saga, view))
}

/// Rows of a history that are shown: an order has about ten; one that is stuck for days has more.
const HISTORY_MAX: u32 = 1_000;
