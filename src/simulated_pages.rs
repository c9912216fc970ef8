//! The pages of the simulated gateway, at which a customer pays, is declined, pays later, or leaves.
//!
//! ```text
//! GET  /simulated-gateway/pages/{key}   amount, order, four buttons; works without scripts
//! POST /simulated-gateway/pages/{key}   choice=pay|decline|choose|leave, then what became of it
//! ```
//!
//! They are for demonstrations and tests: whoever has the address can pay, without money. So they are served on a
//! loopback address only, unless `ORDERMILL_SIMULATED_PAGES` says otherwise. A form that a page of another site sends
//! is refused before it comes here, as for every other route ([`crate::api`]).

use ordermill_actors::gateway::GatewayHandle;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::{Entry, Visit, VisitOutcome};
use ordermill_domain::payment::GatewayKey;
use poem::endpoint::make;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::Html;
use poem::{IntoResponse, Request, Response, RouteMethod};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use uuid::Uuid;

/// The route, as the router matches it.
pub const ROUTE: &str = "/simulated-gateway/pages/:key";

/// Characters of an order's id that a page shows: its end, which differs between orders of the same minute.
const SHOWN_ID_CHARS: usize = 8;

/// When it is worth another try while the ledger does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Only the form of the page itself is sent, and nothing is loaded.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     style-src 'unsafe-inline'",
);

/// The address of the pages of a server that listens here, without a slash at its end. For one that listens on every
/// address: as the machine itself reaches it.
pub fn base_url(listen: SocketAddr) -> String {
    let ip: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let path = ROUTE.trim_end_matches("/:key");
    format!("http://{}{path}", SocketAddr::new(ip, listen.port()))
}

/// The pages.
pub fn pages(gateway: GatewayHandle) -> RouteMethod {
    let paid_at = gateway.clone();
    poem::get(make(move |request| {
        let gateway = gateway.clone();
        async move { shown(&gateway, key_of(&request)).await }
    }))
    .post(make(move |request| {
        let gateway = paid_at.clone();
        async move { visited(&gateway, request).await }
    }))
}

/// The key in the path. None: it is no UUID.
fn key_of(request: &Request) -> Option<GatewayKey> {
    request.path_params::<Uuid>().ok().map(GatewayKey)
}

async fn shown(gateway: &GatewayHandle, key: Option<GatewayKey>) -> Response {
    let Some(key) = key else { return page(StatusCode::NOT_FOUND, NO_PAGE, None) };
    match gateway.entry(key).await {
        Ok(Some(entry)) => {
            let (status, said) = standing(&entry, gateway.now());
            page(status, said, Some((&entry, gateway.now())))
        }
        Ok(None) => page(StatusCode::NOT_FOUND, NO_PAGE, None),
        Err(error) => unavailable(&error),
    }
}

async fn visited(gateway: &GatewayHandle, mut request: Request) -> Response {
    let Some(key) = key_of(&request) else { return page(StatusCode::NOT_FOUND, NO_PAGE, None) };
    let body = request.take_body().into_bytes().await.unwrap_or_default();
    let Some(visit) = choice(&body) else {
        return page(StatusCode::UNPROCESSABLE_ENTITY, NO_CHOICE, None);
    };
    let outcome = match gateway.visit(key, visit).await {
        Ok(outcome) => outcome,
        Err(error) => return unavailable(&error),
    };
    let (status, said) = said(outcome);
    match gateway.entry(key).await {
        Ok(Some(entry)) => page(status, said, Some((&entry, gateway.now()))),
        Ok(None) | Err(_) => page(status, said, None),
    }
}

/// The choice in a form: exactly one field of this name, and no other.
fn choice(body: &[u8]) -> Option<Visit> {
    match body {
        b"choice=pay" => Some(Visit::Pay),
        b"choice=decline" => Some(Visit::Decline),
        b"choice=choose" => Some(Visit::Choose),
        b"choice=leave" => Some(Visit::Leave),
        _ => None,
    }
}

const NO_PAGE: &str = "There is no payment at this address.";
const NO_CHOICE: &str = "The form is not understood. Expected: choice=pay, choice=decline, choice=choose or choice=leave.";
const PENDING: &str = "Nothing is paid yet. You can pay until the page ends.";
const ENDED: &str = "This page has ended. Nothing was paid here.";

/// What a page says of a payment before anything is chosen.
fn standing(entry: &Entry, now: Timestamp) -> (StatusCode, &'static str) {
    if entry.details.page_ends_at.is_none() {
        (StatusCode::NOT_FOUND, NO_PAGE)
    } else if entry.is_captured() {
        (StatusCode::OK, "This payment is made.")
    } else if !entry.is_page_open(now) {
        (StatusCode::GONE, ENDED)
    } else if entry.details.is_chosen {
        (StatusCode::OK, PENDING)
    } else if entry.details.denied.is_some() {
        (StatusCode::OK, "The last try was declined. You can try again.")
    } else {
        (StatusCode::OK, "No money moves: this gateway is simulated.")
    }
}

fn said(outcome: VisitOutcome) -> (StatusCode, &'static str) {
    match outcome {
        VisitOutcome::Paid => (StatusCode::OK, "Thank you: the payment is made."),
        VisitOutcome::Denied => (StatusCode::OK, "The payment was declined. You can try again."),
        VisitOutcome::Chosen => (StatusCode::OK, PENDING),
        VisitOutcome::Abandoned => {
            (StatusCode::OK, "Nothing was paid. You can come back to this page.")
        }
        VisitOutcome::PaidBefore => (StatusCode::OK, "This payment had been made before."),
        VisitOutcome::Closed => (StatusCode::GONE, ENDED),
        VisitOutcome::NoPage => (StatusCode::NOT_FOUND, NO_PAGE),
    }
}

/// An answer with a 503: a 500 would be logged with its address, which is a bearer link.
fn unavailable(error: &dyn std::fmt::Display) -> Response {
    tracing::warn!(service = "gateway", %error, "a simulated page cannot be served");
    let mut response =
        page(StatusCode::SERVICE_UNAVAILABLE, "The gateway does not answer. Try again.", None);
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER.as_secs().into());
    response
}

/// A whole page. Everything in it is a constant, a number or an id, so that nothing has to be escaped.
fn page(status: StatusCode, said: &str, of: Option<(&Entry, Timestamp)>) -> Response {
    let booking = of.and_then(|(entry, _)| entry.booking.as_ref());
    let payment = booking.map_or_else(String::new, |booking| {
        let id = booking.order_id.to_string();
        let shown = &id[id.len().saturating_sub(SHOWN_ID_CHARS)..];
        let amount = booking.amount;
        format!("<dl><dt>Amount</dt><dd>{amount}</dd><dt>Order</dt><dd>…{shown}</dd></dl>")
    });
    let is_open = of.is_some_and(|(entry, now)| entry.is_page_open(now));
    let form = if is_open { FORM } else { "" };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"referrer\" content=\"same-origin\">\
         <title>Simulated payment</title><style>{STYLE}</style></head>\
         <body><main><h1>Simulated payment</h1>{payment}<p role=\"status\">{said}</p>{form}\
         </main></body></html>\n"
    );
    let mut response = Html(html).with_status(status).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// The referrer policy of the page lets the browser name this server as the origin of the form.
const FORM: &str = "<form method=\"post\">\
     <button name=\"choice\" value=\"pay\">Pay</button> \
     <button name=\"choice\" value=\"decline\">Have it declined</button> \
     <button name=\"choice\" value=\"choose\">Pay later</button> \
     <button name=\"choice\" value=\"leave\">Leave</button></form>";

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;\
     background:#fff}main{max-width:32rem;margin:3rem auto;padding:0 1rem}\
     dl{display:grid;grid-template-columns:max-content auto;gap:.25rem 1rem}dt{font-weight:600}\
     dd{margin:0}button{font:inherit;padding:.5rem 1rem;margin:.25rem .25rem 0 0}";

#[cfg(test)]
mod tests;
