//! Responses of the server.

use super::answer::ApiAnswer;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};

/// A response of the server.
pub(super) type Response = hyper::Response<Full<Bytes>>;

/// An answer as HTTP.
pub(super) fn response(answer: ApiAnswer) -> Response {
    let mut builder =
        hyper::Response::builder().status(answer.http).header(CONTENT_TYPE, answer.content_type);
    if let Some(seconds) = answer.retry_after {
        builder = builder.header(RETRY_AFTER, seconds);
    }
    let response = builder.body(Full::from(answer.body));
    response.expect("a script's HTTP status is between 200 and 599, and the headers are ours")
}
