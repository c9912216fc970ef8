//! The HTTP API: routes, their document, and what stands around them.
//!
//! ```text
//! request ─▶ id, guard ─▶ caller ─▶ log line, metrics ─▶ route: authorization, body bound, handler ─▶ answer, or a problem document
//! ```

mod actor_views;
mod actors;
mod adjustments;
mod admin;
mod admin_payments;
mod authorize;
mod backup;
mod body;
mod cursor;
mod dead_letters;
mod decimal;
mod docs;
mod document;

mod events;
mod followers;
mod group;
mod guard;
mod inventory;
mod keys;
mod limits;
mod metrics;
mod movements;
mod new_order;
mod notifications;
mod operations;
mod orders;
mod payload;
mod payment_record;
mod payment_requests;
mod payment_view;
mod payment_wait;
mod permissions;
mod preconditions;
mod problem;
mod queues;
pub mod reconciliation;
mod records;
mod refunds;
mod request_id;
mod request_trace;
mod respond;
mod routes;
mod scalar;
mod schema;
mod secure;
mod startup_gate;
pub(crate) mod state;
mod time;
mod unsupported;
mod validate;
mod views;
mod webhooks;
mod word;

pub use startup_gate::StartupGate;
pub use state::Parts;
pub use webhooks::{WebhookListener, Webhooks};

use crate::asyncapi::asyncapi_json;
use crate::simulated_pages;
use state::State;

use followers::Followers;
use ordermill_actors::runtime::periodic_task::PeriodicTask;
use ordermill_actors::runtime::supervisor::ChildSpec;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::middleware::CatchPanic;
use poem::web::Redirect;
use poem::{Endpoint, EndpointExt, Response, Route, RouteMethod};
use poem_openapi::{OpenApi, OpenApiService};
use request_trace::RequestTraces;
use std::sync::Arc;

/// Everything that the API has.
type Routes = (
    orders::OrdersApi,
    refunds::RefundsApi,
    inventory::InventoryApi,
    adjustments::AdjustmentsApi,
    movements::MovementsApi,
    records::RecordsApi,
    notifications::NotificationsApi,
    admin::AdminApi,
    admin_payments::AdminPaymentsApi,
    payment_requests::PaymentRequestsApi,
    actors::ActorsApi,
    dead_letters::DeadLettersApi,
    queues::QueuesApi,
    // A tuple has sixteen members at the most.
    (backup::BackupApi, keys::KeysApi),
    reconciliation::ReconciliationApi,
    operations::OperationsApi,
);

/// What Swagger UI says at its top.
const DESCRIPTION: &str = "Order processing: reserves stock, takes the payment, schedules the \
     shipment, notifies the customer and audits every event. If a step fails, the completed steps \
     are compensated.";

fn service<T: OpenApi>(routes: T) -> OpenApiService<T, ()> {
    OpenApiService::new(routes, "Ordermill", env!("CARGO_PKG_VERSION")).description(DESCRIPTION)
}

/// The API of a process.
pub struct Api(State);

impl Api {
    /// An API over what the process hands to it.
    pub fn new(parts: Parts) -> Self {
        Self(State::new(parts, Followers::default()))
    }

    /// What must go on for it in the background, as parts that stand under `parent` in the tree.
    pub fn parts(&self, parent: &str) -> Vec<ChildSpec> {
        let node = |name| self.0.tree.part(Some(parent), "routine", name);
        let (followed, measured) = (self.0.clone(), self.0.clone());
        vec![
            PeriodicTask::child_spec(node("http/streams"), events::POLL_EVERY, move || {
                events::look(followed.clone())
            }),
            PeriodicTask::child_spec(node("http/metrics"), metrics::SAMPLE_EVERY, move || {
                metrics::sample(measured.clone())
            }),
        ]
    }

    /// The whole of it as an endpoint, with the webhooks of payment gateways unless another listener serves these.
    pub fn endpoint(&self, webhooks: Option<Arc<Webhooks>>) -> BoxEndpoint<'static, Response> {
        let api = endpoint(self.0.clone());
        match webhooks {
            // They have bounds of their own, and must not wait behind orders.
            Some(webhooks) => api
                .around(move |api, request| {
                    let webhooks = webhooks.clone();
                    async move {
                        match Webhooks::provider(request.uri().path()) {
                            Some(provider) => Ok(webhooks.answer(provider, request).await),
                            None => api.call(request).await,
                        }
                    }
                })
                .boxed(),
            None => api,
        }
    }
}

fn endpoint(state: State) -> BoxEndpoint<'static, Response> {
    let counted = state.metrics.http.clone();
    let gateway = state.services.simulated_gateway().filter(|_| state.serves_simulated_pages);
    let simulated = gateway.cloned().map(simulated_pages::pages);
    let routes: Routes = (
        orders::OrdersApi(state.clone()),
        refunds::RefundsApi(state.clone()),
        inventory::InventoryApi(state.clone()),
        adjustments::AdjustmentsApi(state.clone()),
        movements::MovementsApi(state.clone()),
        records::RecordsApi(state.clone()),
        notifications::NotificationsApi(state.clone()),
        admin::AdminApi(state.clone()),
        admin_payments::AdminPaymentsApi(state.clone()),
        payment_requests::PaymentRequestsApi(state.clone()),
        actors::ActorsApi(state.clone()),
        dead_letters::DeadLettersApi(state.clone()),
        queues::QueuesApi(state.clone()),
        (backup::BackupApi(state.clone()), keys::KeysApi(state.clone())),
        reconciliation::ReconciliationApi(state.clone()),
        operations::OperationsApi(state.clone()),
    );
    let api = service(authorize::Authorized(unsupported::Guarded(routes)));
    let described = api.spec();
    let document = document::finished(&described);
    let docs = api.swagger_ui_html().replace(&described, &document);
    let known = Arc::new(routes::Routes::new(Routes::meta()));
    let traces = RequestTraces { tracer: state.tracer.clone(), world: state.world.clone() };
    let routes = Route::new()
        .nest("/", api)
        .at("/docs", unsupported::guarded(docs::page(docs), Vec::new()))
        .at("/docs/", poem::get(make_sync(|_| Redirect::permanent("../docs"))))
        .at("/openapi.json", unsupported::guarded(page_of_json(document), Vec::new()))
        .at("/asyncapi.json", unsupported::guarded(page_of_json(asyncapi_json()), Vec::new()));
    let routes = match simulated {
        Some(pages) => routes.at(simulated_pages::ROUTE, authorize::public(pages)),
        None => routes,
    };
    routes
        .with(CatchPanic::new().with_handler(|_| problem::panicked()))
        .around(move |endpoint, request| {
            respond::answer(known.clone(), counted.clone(), traces.clone(), endpoint, request)
        })
        .map_to_response()
        .boxed()
}

/// A page that is the same for everybody.
fn page_of_json(text: String) -> RouteMethod {
    let answer = move |_| Response::builder().content_type("application/json").body(text.clone());
    poem::get(make_sync(answer))
}

/// The method and the path of every route of the document.
#[cfg(test)]
fn route_names() -> Vec<(String, String)> {
    let paths = Routes::meta().into_iter().flat_map(|api| api.paths);
    let names = paths.flat_map(|path| {
        let methods = path.operations.into_iter().map(|operation| operation.method.to_string());
        methods.map(|method| (method, path.path.clone())).collect::<Vec<_>>()
    });
    names.collect()
}

/// The OpenAPI document, as it stands in `openapi/ordermill.json`.
pub fn openapi_json() -> String {
    // The document needs the types of the routes, not what they ask: it is made from their metadata.
    document::finished(&service(documented::Documented).spec())
}

mod documented {
    //! The routes without a process behind them: enough for their document.

    use super::Routes;
    use poem::endpoint::BoxEndpoint;
    use poem_openapi::OpenApi;
    use poem_openapi::registry::{MetaApi, Registry};
    use std::collections::HashMap;

    /// Documents what [`Routes`] serve; serves nothing.
    pub struct Documented;

    impl OpenApi for Documented {
        fn meta() -> Vec<MetaApi> {
            Routes::meta()
        }

        fn register(registry: &mut Registry) {
            Routes::register(registry);
        }

        fn add_routes(
            self,
            _: &mut HashMap<String, HashMap<poem::http::Method, BoxEndpoint<'static>>>,
        ) {
        }
    }
}
