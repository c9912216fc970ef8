//! The HTTP API: routes, their document, and what stands around them.
//!
//! ```text
//! request ─▶ id, log line, metrics ─▶ body bound ─▶ route ─▶ answer, or a problem document
//! ```

mod admin;
mod body;
mod cursor;
mod decimal;
mod events;
mod inventory;
mod limits;
mod metrics;
mod new_order;
mod notifications;
mod operations;
mod orders;
mod problem;
mod records;
mod request_id;
mod state;
mod views;
mod watch;

pub use metrics::{SagaMetrics, recorder};
pub use state::Parts;

use state::State;

use events::Followers;
use poem::endpoint::BoxEndpoint;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, Response, Route};
use poem_openapi::{OpenApi, OpenApiService};

/// Everything that the API has.
type Routes = (
    orders::OrdersApi,
    inventory::InventoryApi,
    records::RecordsApi,
    notifications::NotificationsApi,
    admin::AdminApi,
    operations::OperationsApi,
);

/// What Swagger UI says at its top.
const DESCRIPTION: &str = "Takes orders and sees each of them through: stock reserved, payment taken, \
     parcel shipped, customer told, everything audited, or every step undone.";

fn service<T: OpenApi>(routes: T) -> OpenApiService<T, ()> {
    OpenApiService::new(routes, "Ordermill", env!("CARGO_PKG_VERSION")).description(DESCRIPTION)
}

/// The whole API as an endpoint.
pub fn endpoint(parts: Parts) -> BoxEndpoint<'static, Response> {
    let state = State::new(parts, Followers::default());
    tokio::spawn(events::look(state.clone()));
    metrics::keep_up(&state);
    let routes: Routes = (
        orders::OrdersApi(state.clone()),
        inventory::InventoryApi(state.clone()),
        records::RecordsApi(state.clone()),
        notifications::NotificationsApi(state.clone()),
        admin::AdminApi(state.clone()),
        operations::OperationsApi(state.clone()),
    );
    let api = service(routes);
    let (docs, document) = (api.swagger_ui(), api.spec_endpoint());
    Route::new()
        .nest("/", api)
        .nest("/docs", docs)
        .at("/openapi.json", document)
        .with(CatchPanic::new().with_handler(|_| problem::panicked()))
        .around(move |routes, request| watch::answer(state.clone(), routes, request))
        .map_to_response()
        .boxed()
}

/// The OpenAPI document, as it stands in `openapi/ordermill.json`.
pub fn openapi_json() -> String {
    // The document needs the types of the routes, not what they ask: it is made from their metadata.
    let mut text = service(documented::Documented).spec();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

mod documented {
    //! The routes without a process behind them: enough for their document.

    use super::Routes;
    use poem::endpoint::BoxEndpoint;
    use poem_openapi::registry::{MetaApi, Registry};
    use poem_openapi::OpenApi;
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
