//! Who may use a route, checked before the body of the request is read.
//!
//! The check stands in the router itself, so that no path can be matched by one rule and guarded by another. Requests
//! that match no route reach none, and are answered as for everybody.

use crate::access::{Caller, Denial};
use crate::api::permissions::{self, Access};
use crate::api::problem::{self, Problem};
use crate::api::respond;
use crate::api::routes::pattern;
use ordermill_domain::access::Grant;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Result};
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, Registry};
use std::collections::HashMap;
use std::time::Duration;

/// When keys that could not be read may have been read.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Routes, each of which is asked only by those who may.
pub struct Authorized<T>(pub T);

impl<T: OpenApi> OpenApi for Authorized<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let names: HashMap<_, _> = T::meta()
            .into_iter()
            .flat_map(|api| api.paths)
            .map(|path| (pattern(&path.path), path.path))
            .collect();
        let mut routes = HashMap::new();
        self.0.add_routes(&mut routes);
        for (path, methods) in routes {
            let name = names.get(&path).map(String::as_str).unwrap_or_default();
            let locked = methods.into_iter().map(|(method, endpoint)| {
                let access = permissions::access(&method, name);
                (method, Authorization { endpoint, access }.boxed())
            });
            table.entry(path.clone()).or_default().extend(locked);
        }
    }
}

/// A route that anyone may use, with the bounds of a body all the same.
pub fn public<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    Authorization { endpoint, access: Some(Access::Anyone) }
}

struct Authorization<E> {
    endpoint: E,
    /// None: nobody may pass.
    access: Option<Access>,
}

impl<E: Endpoint> Endpoint for Authorization<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if let Some(denial) = denial(&Caller::sending(&request), self.access) {
            return Err(poem::Error::from_response(response(&denial)));
        }
        respond::bounded(&mut request).await.map_err(poem::Error::from_response)?;
        self.endpoint.call(request).await.map(IntoResponse::into_response)
    }
}

/// Why a caller may not pass.
///
/// No handler confines itself to what a customer owns. Until one does, whatever is granted for the customer's own only
/// is refused here, and nowhere else.
fn denial(caller: &Caller, access: Option<Access>) -> Option<Denial> {
    match access {
        Some(Access::Anyone) => None,
        Some(Access::Needs(permission)) => match caller.may(permission) {
            Ok(Grant::All) => None,
            Ok(Grant::Own | Grant::None) => Some(Denial::NotForCustomers),
            Err(denial) => Some(denial),
        },
        None => Some(caller.denied().unwrap_or(Denial::NoKey)),
    }
}

/// The answer to somebody who may not: 401, 403 or 503.
fn response(denial: &Denial) -> Response {
    let detail = denial.to_string();
    match denial {
        Denial::Unread => Problem::unavailable(detail, RETRY_AFTER).into_response(),
        Denial::Forbidden(..) | Denial::NotForCustomers => {
            problem::alone(StatusCode::FORBIDDEN, detail)
        }
        Denial::NoKey => unauthorized(detail, r#"Bearer realm="ordermill""#),
        Denial::Malformed => {
            unauthorized(detail, r#"Bearer realm="ordermill", error="invalid_request""#)
        }
        Denial::NotAccepted(_) => {
            unauthorized(detail, r#"Bearer realm="ordermill", error="invalid_token""#)
        }
    }
}

fn unauthorized(detail: String, challenge: &'static str) -> Response {
    let mut response = problem::alone(StatusCode::UNAUTHORIZED, detail);
    let challenge = HeaderValue::from_static(challenge);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
