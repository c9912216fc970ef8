//! What the headers say of a request's body, checked before it is read: a body that is coded in a way, or a
//! part of one, that is not known here must not be taken for something else.

use crate::api::problem;
use poem::Response;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Says that bodies are taken as they are only (RFC 9110 section 15.5.16).
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// What a request is refused with before its body is read; none lets it be read.
pub fn refusal(headers: &HeaderMap) -> Option<Response> {
    let refuse = |status, detail: &str| Some(problem::alone(status, detail));
    if tokens(headers, &header::CONTENT_ENCODING).any(|coding| !is(coding, "identity")) {
        let detail = "unsupported Content-Encoding; send the body without one";
        let mut response = problem::alone(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
        response.headers_mut().insert(header::ACCEPT_ENCODING, IDENTITY);
        return Some(response);
    }
    if tokens(headers, &header::TRANSFER_ENCODING).any(|coding| !is(coding, "chunked")) {
        let detail = "unsupported Transfer-Encoding; expected `chunked`";
        return refuse(StatusCode::NOT_IMPLEMENTED, detail);
    }
    if tokens(headers, &header::EXPECT).any(|expected| !is(expected, "100-continue")) {
        return refuse(
            StatusCode::EXPECTATION_FAILED,
            "unsupported Expect; expected `100-continue`",
        );
    }
    if headers.contains_key(header::CONTENT_RANGE) {
        let detail = "unsupported Content-Range; send the complete body";
        return refuse(StatusCode::BAD_REQUEST, detail);
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    if second.is_some() {
        return refuse(StatusCode::BAD_REQUEST, "there is more than one Content-Type header");
    }
    let is_unreadable = first.is_some_and(is_in_another_charset);
    is_unreadable.then(|| {
        problem::alone(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported charset; JSON must be UTF-8",
        )
    })
}

/// The words of a header that is a list.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let values = headers.get_all(name).iter();
    let words = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

fn is(word: &[u8], other: &str) -> bool {
    word.eq_ignore_ascii_case(other.as_bytes())
}

/// JSON that says to be in another encoding than the only one it has (RFC 8259 section 8.1). ASCII is a part
/// of it.
fn is_in_another_charset(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.to_ascii_lowercase().ends_with("json"));
    let mut charsets = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
    });
    let is_known = |charset: &str| {
        ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
    };
    is_json && charsets.any(|charset| !is_known(charset))
}
