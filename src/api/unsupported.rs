//! Refuses preconditions that a route does not support: a client that sends one relies on it, so that
//! it must not be ignored.
//!
//! RFC 9110 gives the status: a condition that cannot be met is 412. It would have a server ignore dates
//! that it has nothing to compare with (sections 13.1.3 and 13.1.4); they are refused here all the same,
//! for `If-Unmodified-Since` guards a write as `If-Match` does.

use crate::api::problem::Problem;
use crate::api::routes::pattern;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method};
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Result};
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, MetaParamIn, Registry};
use std::collections::HashMap;

/// The headers of section 13.1, each with the one that takes its place where both are sent
/// (section 13.2.2).
const PRECONDITIONS: [(&str, Option<&str>); 5] = [
    ("If-Match", None),
    ("If-None-Match", None),
    ("If-Modified-Since", Some("If-None-Match")),
    ("If-Unmodified-Since", Some("If-Match")),
    ("If-Range", None),
];

/// Routes, each of which is asked only if it supports the preconditions of the request: those that
/// it describes as its headers.
pub struct Guarded<T>(pub T);

impl<T: OpenApi> OpenApi for Guarded<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let mut supported = supported(T::meta());
        let mut routes = HashMap::new();
        self.0.add_routes(&mut routes);
        for (path, methods) in routes {
            let guarded =
                methods.into_iter().map(|(method, endpoint): (Method, BoxEndpoint<'static>)| {
                    let supported = supported.remove(&(path.clone(), method.clone()));
                    (method, guarded(endpoint, supported.unwrap_or_default()).boxed())
                });
            table.entry(path.clone()).or_default().extend(guarded);
        }
    }
}

/// The preconditions that each operation describes.
fn supported(apis: Vec<MetaApi>) -> HashMap<(String, Method), Vec<&'static str>> {
    let mut supported = HashMap::new();
    for path in apis.into_iter().flat_map(|api| api.paths) {
        for operation in path.operations {
            let headers = operation.params.iter().filter(|p| p.in_type == MetaParamIn::Header);
            let names: Vec<_> = headers.map(|header| header.name.as_str()).collect();
            let described = PRECONDITIONS.map(|(name, _)| name).into_iter();
            let described =
                described.filter(|name| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
            supported.insert((pattern(&path.path), operation.method), described.collect());
        }
    }
    supported
}

/// An endpoint that is asked only with these preconditions.
pub fn guarded<E: Endpoint + 'static>(
    endpoint: E,
    supported: Vec<&'static str>,
) -> impl Endpoint<Output = Response> {
    Guard { endpoint, supported }
}

struct Guard<E> {
    endpoint: E,
    supported: Vec<&'static str>,
}

impl<E: Endpoint> Endpoint for Guard<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match unsupported(&self.supported, request.headers()) {
            Some(name) => Ok(refused(name, &self.supported).into_response()),
            None => self.endpoint.call(request).await.map(IntoResponse::into_response),
        }
    }
}

/// The first precondition of a request that is not supported, nor replaced by one that is.
fn unsupported(supported: &[&str], headers: &HeaderMap) -> Option<&'static str> {
    let sent_and_supported = |name: &str| supported.contains(&name) && headers.contains_key(name);
    let mut sent = PRECONDITIONS.iter().filter(|(name, _)| headers.contains_key(*name));
    let refused = sent.find(|(name, replaced_by)| {
        !supported.contains(name) && !replaced_by.is_some_and(sent_and_supported)
    });
    refused.map(|(name, _)| *name)
}

fn refused(name: &str, supported: &[&str]) -> Problem {
    let there = match supported {
        [] => "no precondition".to_owned(),
        names => names.join(" and "),
    };
    Problem::precondition_failed(format!(
        "unsupported precondition `{name}`, nothing is changed; this path supports {there}; remove the header"
    ))
}
