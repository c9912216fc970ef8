//! Headers that every answer has: what a browser must not do with it.

use poem::Response;
use poem::http::{HeaderName, HeaderValue, header};

/// Set on every answer.
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    // It is what `Content-Type` says, whatever its bytes look like.
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // In no frame: a page could have people click what they do not see. For browsers without CSP.
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Addresses hold the ids of orders: they are told to nobody.
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // No page of another origin loads it, as an image for instance, or shares a process with it.
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    ),
];

/// For what is data: shown in a browser, it loads and runs nothing.
const DATA: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Kept by nobody: it holds what people have ordered.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What has an `ETag` may be kept, to be asked for again with it.
const NO_CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Sets them. `Content-Security-Policy` and `Cache-Control` stay where the route has set its own.
pub fn secure(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(DATA);
    let cache = if headers.contains_key(header::ETAG) { NO_CACHE } else { NO_STORE };
    headers.entry(header::CACHE_CONTROL).or_insert(cache);
}
