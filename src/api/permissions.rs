//! Which permission each route requires: one table, for the check of each route and for the OpenAPI document.

use ordermill_domain::access::{Grant, Permission};
use poem::http::Method;
use serde_json::{Map, Value, json};

use Access::{Anyone, Needs};
use Permission as P;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, also where keys are required.
    Anyone,
    /// Whoever has this permission.
    Needs(Permission),
}

/// Every route, by its path in the document.
///
/// - Movements of stock name the orders of all customers: reading them takes more than reading stock.
/// - A backup has everything in it, so that it takes more than acting as an operator.
const ROUTES: [(&str, &str, Access); 58] = [
    ("POST", "/orders", Needs(P::PlaceOrders)),
    ("GET", "/orders", Needs(P::ReadOrders)),
    ("GET", "/orders/{order_id}", Needs(P::ReadOrders)),
    ("GET", "/orders/{order_id}/events", Needs(P::ReadOrders)),
    ("POST", "/orders/{order_id}/cancel", Needs(P::ChangeOrders)),
    ("POST", "/orders/{order_id}/dispatch", Needs(P::FulfilOrders)),
    ("POST", "/orders/{order_id}/delivery", Needs(P::FulfilOrders)),
    ("POST", "/orders/{order_id}/refunds", Needs(P::FulfilOrders)),
    ("GET", "/orders/{order_id}/refunds", Needs(P::ReadOrders)),
    ("GET", "/payments/{order_id}", Needs(P::ReadOrders)),
    ("GET", "/shipments/{order_id}", Needs(P::ReadOrders)),
    ("GET", "/notifications", Needs(P::ReadOrders)),
    ("GET", "/notifications/{id}", Needs(P::ReadOrders)),
    ("PATCH", "/notifications/{id}", Needs(P::ChangeOrders)),
    ("POST", "/notifications/mark-all-read", Needs(P::ChangeOrders)),
    ("GET", "/inventory", Needs(P::ReadStock)),
    ("GET", "/inventory/{product_id}", Needs(P::ReadStock)),
    ("GET", "/inventory/{product_id}/movements", Needs(P::WriteStock)),
    ("POST", "/inventory", Needs(P::WriteStock)),
    ("PUT", "/inventory/{product_id}", Needs(P::WriteStock)),
    ("POST", "/inventory/{product_id}/adjustments", Needs(P::WriteStock)),
    ("POST", "/inventory/adjustments", Needs(P::WriteStock)),
    ("GET", "/audit", Needs(P::ReadAdmin)),
    ("GET", "/admin/sagas", Needs(P::ReadAdmin)),
    ("GET", "/admin/sagas/{saga_id}", Needs(P::ReadAdmin)),
    ("POST", "/admin/sagas/{saga_id}/retry", Needs(P::ActAdmin)),
    ("GET", "/admin/payments", Needs(P::ReadAdmin)),
    ("POST", "/admin/payments/{order_id}/by-hand", Needs(P::ActAdmin)),
    ("POST", "/admin/payments/{order_id}/review", Needs(P::ActAdmin)),
    ("GET", "/admin/notifications", Needs(P::ReadAdmin)),
    ("GET", "/admin/notifications/{id}", Needs(P::ReadAdmin)),
    ("GET", "/admin/actors", Needs(P::ReadAdmin)),
    ("GET", "/admin/actors/events", Needs(P::ReadAdmin)),
    ("GET", "/admin/actors/{name}", Needs(P::ReadAdmin)),
    ("POST", "/admin/actors/{name}/restart", Needs(P::ActAdmin)),
    ("POST", "/admin/actors/{name}/release", Needs(P::ActAdmin)),
    ("GET", "/admin/dead-letters", Needs(P::ReadAdmin)),
    ("GET", "/admin/dead-letters/discarded", Needs(P::ReadAdmin)),
    ("GET", "/admin/dead-letters/{id}", Needs(P::ReadAdmin)),
    ("POST", "/admin/dead-letters/{id}/redrive", Needs(P::ActAdmin)),
    ("POST", "/admin/dead-letters/redrive", Needs(P::ActAdmin)),
    ("POST", "/admin/dead-letters/{id}/discard", Needs(P::ActAdmin)),
    ("POST", "/admin/dead-letters/discard", Needs(P::ActAdmin)),
    ("GET", "/admin/queues", Needs(P::ReadAdmin)),
    ("GET", "/admin/reconciliation", Needs(P::ReadAdmin)),
    ("GET", "/admin/reconciliation/{records}", Needs(P::ReadAdmin)),
    ("POST", "/admin/reconciliation/repairs", Needs(P::ActAdmin)),
    ("POST", "/admin/backup", Needs(P::ManageSystem)),
    ("GET", "/admin/keys", Needs(P::ManageSystem)),
    ("POST", "/admin/keys", Needs(P::ManageSystem)),
    ("POST", "/admin/keys/{id}/revoke", Needs(P::ManageSystem)),
    ("POST", "/admin/keys/{id}/rotate", Needs(P::ManageSystem)),
    ("GET", "/metrics", Needs(P::ReadMetrics)),
    ("GET", "/health", Anyone),
    ("GET", "/ready", Anyone),
    ("GET", "/docs", Anyone),
    ("GET", "/openapi.json", Anyone),
    ("GET", "/simulated-gateway/pages/{key}", Anyone),
];

/// Who may use a route of the document. None: nobody has said, so that nobody may.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let mut routes = ROUTES.iter();
    let found = routes.find(|(known, at, _)| method.as_str() == *known && path == *at);
    found.map(|(.., access)| *access)
}

/// The schemes of the document, by their names.
pub fn schemes() -> Value {
    let about =
        "An API key (`omk_live_…`). Required once a key exists; docs/ACCESS.md lists the roles.";
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": about },
        "header": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": about },
    })
}

/// Writes into an operation of the document who may use it. Where the table has no line, it says nothing.
pub fn describe(method: &str, path: &str, operation: &mut Value) {
    let method = method.to_uppercase().parse::<Method>().unwrap_or_default();
    match access(&method, path) {
        None => {}
        Some(Anyone) => operation["security"] = json!([]),
        Some(Needs(permission)) => {
            operation["security"] = json!([{ "bearer": [] }, { "header": [] }]);
            operation["x-permission"] = json!(permission.as_str());
            let roles = permission.roles().map(|(role, grant)| {
                let extent = if grant == Grant::Own { "own" } else { "all" };
                (role.as_str().to_owned(), json!(extent))
            });
            operation["x-roles"] = Value::Object(roles.collect::<Map<_, _>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A new route has to say who may use it; until then nobody may.
    #[test]
    fn every_route_has_a_line_and_every_line_a_route() {
        let described = crate::api::route_names();
        let beside = ["/docs", "/openapi.json", "/simulated-gateway/pages/{key}"];
        let listed: BTreeSet<_> = ROUTES
            .iter()
            .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
            .collect();
        assert_eq!(listed.len(), ROUTES.len(), "a route is listed twice");
        let described: BTreeSet<_> = described.into_iter().collect();
        let missing: Vec<_> = described.difference(&listed).collect();
        assert!(missing.is_empty(), "these routes have no line in the table: {missing:?}");
        let gone: Vec<_> = listed
            .difference(&described)
            .filter(|(_, path)| !beside.contains(&path.as_str()))
            .collect();
        assert!(gone.is_empty(), "these lines have no route: {gone:?}");
    }

    #[test]
    fn a_route_that_is_not_listed_is_nobodys() {
        assert_eq!(access(&Method::GET, "/secrets"), None);
        assert_eq!(access(&Method::DELETE, "/orders"), None);
    }
}
