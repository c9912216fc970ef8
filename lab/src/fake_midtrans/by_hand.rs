//! What a person or a script does over HTTP: customers at pages, banks, faults.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /` | lists the pages |
//! | `GET /snap/v4/redirection/{token}` | the page |
//! | `GET /_test/state` | pages, transactions and numbers of requests, as JSON |
//! | `POST /_test/pages/{token}/{pay\|deny\|challenge\|choose\|leave}?type=gopay` | the customer acts |
//! | `POST /_test/transactions/{id}/{settle\|reverse}` | the bank acts |
//! | `POST /_test/transactions/{id}/refund?amount=1000` | the merchant refunds in the dashboard |
//! | `POST /_test/faults?call=status&fault=slow:200&times=3` | scripts faults; `call` is one of the API, `pay` or `notify` |
//! | `POST /_test/release` | answers what hangs |
//! | `POST /_test/resend` | posts again what the merchant did not take |

use super::answer::ApiAnswer;
use super::fault::{Call, Script};
use super::html;
use super::overview;
use super::payment_type::PaymentType;
use super::response::{Response, response};
use super::shared::Shared;
use super::state::{CustomerError, State};
use hyper::Method;
use hyper::header::{ACCEPT, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use ordermill_domain::clock::Timestamp;
use serde_json::{Value, json};

/// Faults that one request scripts at most.
const TIMES_MAX: usize = 1000;

/// Answers everything that is not of the API.
pub(super) fn respond(shared: &Shared, head: &Parts) -> Response {
    let now = shared.clock.now();
    let mut state = shared.state();
    state.tick(now);
    let path: Vec<_> = head.uri.path().trim_matches('/').split('/').collect();
    let query = Query(head.uri.query().unwrap_or_default());
    match (&head.method, path.as_slice()) {
        (&Method::GET, [""]) => html_response(200, html::list(state.pages())),
        (&Method::GET, ["snap", "v4", "redirection", token]) => page(&state, token, now),
        (&Method::GET, ["_test", "state"]) => answer(Ok(overview::json(&state))),
        (&Method::POST, ["_test", "pages", token, action]) => {
            let done = customer(&mut state, now, token, action, query);
            let is_browser = head.headers.get(ACCEPT).is_some_and(asks_for_html);
            match done {
                Ok(_) if is_browser => back_to(&state.page_url(token)),
                done => answer(done),
            }
        }
        (&Method::POST, ["_test", "transactions", id, action]) => {
            answer(bank(&mut state, now, id, action, query))
        }
        (&Method::POST, ["_test", "faults"]) => answer(script(&mut state.script, query)),
        (&Method::POST, ["_test", "release"]) => {
            shared.released.notify_waiters();
            answer(Ok(json!({})))
        }
        (&Method::POST, ["_test", "resend"]) => {
            state.notifications.resend(now);
            answer(Ok(json!({})))
        }
        _ => response(ApiAnswer::core("404", "The requested path does not exist")),
    }
}

/// Why a request does nothing: an HTTP status and a text.
struct Refused(u16, String);

impl From<CustomerError> for Refused {
    fn from(error: CustomerError) -> Self {
        let http = match error {
            CustomerError::UnknownPage | CustomerError::UnknownTransaction => 404,
            _ => 409,
        };
        Self(http, error.to_string())
    }
}

/// The query of a request. Its values need no decoding: none has a reserved character.
#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn get(self, name: &str) -> Option<&'a str> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn needed(self, name: &str) -> Result<&'a str, Refused> {
        self.get(name).ok_or_else(|| Refused(400, format!("the query has no `{name}`")))
    }
}

fn customer(
    state: &mut State,
    now: Timestamp,
    token: &str,
    action: &str,
    query: Query<'_>,
) -> Result<Value, Refused> {
    let method = || {
        let name = query.get("type").unwrap_or("credit_card");
        PaymentType::named(name).ok_or_else(|| Refused(400, "`type` is unknown".to_owned()))
    };
    let id = match action {
        "pay" => state.pay(now, token, method()?)?,
        "deny" => state.deny(now, token, method()?)?,
        "challenge" => state.challenge(now, token)?,
        "choose" => state.choose(now, token, method()?)?,
        "leave" => return Ok(state.leave(now, token).map(|()| json!({}))?),
        _ => return Err(Refused(404, "a customer cannot do this".to_owned())),
    };
    Ok(json!({"transaction_id": id}))
}

fn bank(
    state: &mut State,
    now: Timestamp,
    id: &str,
    action: &str,
    query: Query<'_>,
) -> Result<Value, Refused> {
    match action {
        "settle" => state.confirm_settlement(now, id)?,
        "reverse" => state.reverse(now, id)?,
        "refund" => {
            let amount = query.needed("amount")?.parse();
            let amount = amount.map_err(|_| Refused(400, "`amount` is no number".to_owned()))?;
            state.refund_in_dashboard(now, id, amount)?;
        }
        _ => return Err(Refused(404, "neither bank nor dashboard can do this".to_owned())),
    }
    Ok(json!({}))
}

fn script(script: &mut Script, query: Query<'_>) -> Result<Value, Refused> {
    let times = query.get("times").map_or(Some(1), |times| times.parse().ok());
    let times = times.filter(|times| (1..=TIMES_MAX).contains(times));
    let times = times.ok_or_else(|| Refused(400, format!("`times` is not 1 to {TIMES_MAX}")))?;
    let fault = query.needed("fault")?;
    let unknown = |error: super::fault::UnknownFault| Refused(400, error.to_string());
    match query.needed("call")? {
        "pay" => {
            let fault = fault.parse().map_err(unknown)?;
            (0..times).for_each(|_| script.payment(fault));
        }
        "notify" => {
            let fault = fault.parse().map_err(unknown)?;
            (0..times).for_each(|_| script.notification(fault));
        }
        name => {
            let call = Call::named(name);
            let call = call.ok_or_else(|| Refused(400, "`call` is unknown".to_owned()))?;
            let fault = fault.parse().map_err(unknown)?;
            (0..times).for_each(|_| script.call(call, fault));
        }
    }
    Ok(json!({}))
}

fn page(state: &State, token: &str, now: Timestamp) -> Response {
    let Some(page) = state.page(token) else {
        return html_response(404, html::message("There is no such page."));
    };
    let transactions = state.transactions();
    let latest = transactions.iter().rfind(|one| one.order_id == page.order_id);
    html_response(200, html::page(page, latest, now))
}

fn answer(done: Result<Value, Refused>) -> Response {
    response(match done {
        Ok(body) => ApiAnswer::json(200, &body),
        Err(Refused(http, error)) => ApiAnswer::json(http, &json!({"error": error})),
    })
}

fn html_response(http: u16, body: String) -> Response {
    response(ApiAnswer { http, retry_after: None, content_type: "text/html; charset=utf-8", body })
}

/// A browser shows the page again after a button was pressed.
fn back_to(url: &str) -> Response {
    let mut response = html_response(303, String::new());
    if let Ok(url) = HeaderValue::from_str(url) {
        response.headers_mut().insert(LOCATION, url);
    }
    response
}

fn asks_for_html(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|accept| accept.contains("text/html"))
}
