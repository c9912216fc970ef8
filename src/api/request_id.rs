//! `X-Request-ID`: taken from the client or made, echoed, and written on every line that the request
//! and the order it places leave in the logs.

use super::secure;
use ordermill_domain::clock::World;
use poem::http::{HeaderName, HeaderValue};
use poem::{Request, Response};
use std::sync::Arc;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A client's own id is taken up to this length in bytes: a UUID, a trace id, a ticket number.
const LENGTH_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// The id of the request that is being answered.
pub fn current() -> Option<String> {
    CURRENT.try_with(|id| id.to_string()).ok()
}

/// The same, shared.
pub fn shared() -> Option<Arc<str>> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The id of a request: the client's when it is 1 to 128 visible ASCII characters, else a new one.
fn of(request: &Request, world: &World) -> Arc<str> {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    match given.filter(|id| is_taken(id)) {
        Some(id) => id.into(),
        None => world.new_id().to_string().into(),
    }
}

fn is_taken(id: &str) -> bool {
    (1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Answers a request under its id. The answer names the id, and has the headers that secure every answer.
pub async fn answer_under_id<F: Future<Output = Response>>(
    request: Request,
    world: &World,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = of(&request, world);
    let mut response = CURRENT.scope(id.clone(), answer(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    secure::secure(&mut response);
    response
}
