//! Requests that a web page of another site has a browser send are refused, before anything else is looked at.
//!
//! ```text
//! Host, :authority ─ malformed ─▶ 400    a name this server does not answer to ─▶ 421   (DNS rebinding)
//! POST, PUT, … ───── Sec-Fetch-Site, else Origin against Host ─▶ 403                   (request forgery)
//! ```
//!
//! The rule for origins is that of Go's `http.CrossOriginProtection`. A request that has neither header is not
//! a browser's: browsers of the last years send one with every unsafe method. Safe methods change nothing
//! here, and a page of another site cannot read their answers.

use crate::api::problem;
use crate::host::{Authority, Hosts};
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use poem::{Request, Response};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What load balancers and orchestrators ask, by whatever name they have.
const EXEMPT: [&str; 2] = ["/health", "/ready"];

/// What a request is refused with; none lets it pass.
pub fn refusal(request: &Request, hosts: &Hosts) -> Option<Response> {
    if EXEMPT.contains(&request.uri().path()) {
        return None;
    }
    let meant = match authority(request) {
        Ok(meant) => meant,
        Err(detail) => return Some(problem::alone(StatusCode::BAD_REQUEST, detail)),
    };
    if meant.is_some_and(|meant| !hosts.answer_to(meant.host)) {
        return Some(problem::alone(StatusCode::MISDIRECTED_REQUEST, NOT_HERE));
    }
    let is_safe =
        matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let is_taken = is_safe || is_of_this_site(request.headers(), meant);
    (!is_taken).then(|| problem::alone(StatusCode::FORBIDDEN, OTHER_SITE))
}

const NOT_HERE: &str =
    "unknown host name in Host; use an IP address or localhost, or add the name to ORDERMILL_HOSTS";
const OTHER_SITE: &str =
    "cross-origin request from a web page (Sec-Fetch-Site, Origin); only GET and HEAD are allowed";
const TARGET: &str = "the request target is malformed; expected a path, or an http URL";
const NO_HOST: &str = "the Host header is missing; exactly one is required";
const MANY_HOSTS: &str = "there is more than one Host header; exactly one is required";
const BAD_HOST: &str = "the host is malformed; expected a name or an IP address, optionally with a \
     port from 0 to 65535";
const TWO_HOSTS: &str = "Host and :authority name different hosts";

/// The host that a request is meant for (RFC 9112 section 3.2, RFC 9113 section 8.3.1); none for HTTP/1.0
/// without `Host`. The error says what is malformed.
fn authority(request: &Request) -> Result<Option<Authority<'_>>, &'static str> {
    let uri = request.uri();
    match (uri.scheme_str(), uri.authority()) {
        (None, None) | (Some("http" | "https"), Some(_)) => {}
        (None, Some(_)) if *request.method() == Method::CONNECT => {}
        _ => return Err(TARGET),
    }
    let parse = |text| Authority::parse(text).ok_or(BAD_HOST);
    let target = uri.authority().map(|authority| parse(authority.as_str())).transpose()?;
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header =
        headers.next().map(|value| value.to_str().map_or(Err(BAD_HOST), parse)).transpose()?;
    if headers.next().is_some() {
        return Err(MANY_HOSTS);
    }
    match (request.version(), target, header) {
        (Version::HTTP_10, ..) | (Version::HTTP_11, _, Some(_)) => Ok(target.or(header)),
        (Version::HTTP_11, ..) | (_, None, None) => Err(NO_HOST),
        (_, Some(target), Some(header)) if !target.is(&header, 80) => Err(TWO_HOSTS),
        _ => Ok(target.or(header)),
    }
}

/// True unless a browser says that the request comes from another origin.
fn is_of_this_site(headers: &HeaderMap, meant: Option<Authority<'_>>) -> bool {
    let bytes =
        |name| headers.get(name).map(HeaderValue::as_bytes).filter(|value| !value.is_empty());
    // `same-site` is another origin, too: another port of this machine, for instance.
    if let Some(site) = bytes(SEC_FETCH_SITE) {
        return matches!(site, b"same-origin" | b"none");
    }
    let Some(origin) = bytes(header::ORIGIN) else { return true };
    let origin = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"));
    // Which scheme the browser has used is not known here: a proxy may speak TLS in front.
    let (default_port, origin) = match origin {
        Some(("http", authority)) => (80, authority),
        Some(("https", authority)) => (443, authority),
        _ => return false,
    };
    match (Authority::parse(origin), meant) {
        (Some(origin), Some(meant)) => origin.is(&meant, default_port),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::http::Uri;

    fn status(request: &Request) -> u16 {
        let hosts = Hosts::parse("shop.example").unwrap();
        refusal(request, &hosts).map_or(200, |refused| refused.status().as_u16())
    }

    fn get(version: Version, target: &str, hosts: &[&str]) -> u16 {
        let mut request = Request::builder().version(version).uri(target.parse::<Uri>().unwrap());
        for host in hosts {
            request = request.header("host", *host);
        }
        status(&request.finish())
    }

    #[test]
    fn http_1_has_exactly_one_host() {
        use Version as V;
        for (version, target, hosts, expected) in [
            (V::HTTP_11, "/orders", &["localhost:8080"] as &[_], 200),
            (V::HTTP_11, "/orders", &["shop.example"], 200),
            (V::HTTP_11, "/orders", &["[::1]:8080"], 200),
            (V::HTTP_11, "/orders", &[], 400),
            (V::HTTP_11, "/orders", &["localhost", "localhost"], 400),
            (V::HTTP_11, "/orders", &[""], 400),
            (V::HTTP_11, "/orders", &["user@localhost"], 400),
            (V::HTTP_11, "/orders", &["localhost:port"], 400),
            (V::HTTP_11, "/orders", &["evil.example"], 421),
            // A server goes by the target, if it has a host, but Host must be there.
            (V::HTTP_11, "http://localhost/orders", &["evil.example"], 200),
            (V::HTTP_11, "http://evil.example/orders", &["localhost"], 421),
            (V::HTTP_11, "http://user@localhost/orders", &["localhost"], 400),
            (V::HTTP_11, "http://localhost/orders", &[], 400),
            (V::HTTP_11, "ftp://localhost/orders", &["localhost"], 400),
            (V::HTTP_11, "orders", &["localhost"], 400),
            (V::HTTP_10, "/orders", &[], 200),
            (V::HTTP_10, "/orders", &["evil.example"], 421),
            (V::HTTP_10, "/orders", &["a", "b"], 400),
            (V::HTTP_11, "/health", &[], 200),
            (V::HTTP_11, "/ready", &["evil.example"], 200),
            (V::HTTP_11, "/health/", &["evil.example"], 421),
        ] {
            assert_eq!(get(version, target, hosts), expected, "{version:?} {target} {hosts:?}");
        }
    }

    #[test]
    fn http_2_has_an_authority() {
        for (target, hosts, expected) in [
            ("http://localhost:8080/orders", &[] as &[_], 200),
            ("https://shop.example/orders", &["shop.example"], 200),
            ("http://localhost/orders", &["localhost:80"], 200),
            ("/orders", &["localhost"], 200),
            ("/orders", &[], 400),
            ("http://localhost/orders", &["127.0.0.1"], 400),
            ("http://localhost/orders", &["localhost", "localhost"], 400),
            ("http://user@localhost/orders", &[], 400),
            ("http://evil.example/orders", &[], 421),
            ("http://evil.example/ready", &[], 200),
        ] {
            assert_eq!(get(Version::HTTP_2, target, hosts), expected, "{target} {hosts:?}");
        }
    }

    #[test]
    fn unsafe_methods_are_taken_from_this_site_and_from_no_browser() {
        const SITE: &str = "sec-fetch-site";
        let local = "127.0.0.1:8080";
        for (host, headers, expected) in [
            (local, &[] as &[_], 200),
            (local, &[(SITE, "same-origin"), ("origin", "http://evil.example")], 200),
            (local, &[(SITE, "none")], 200),
            (local, &[(SITE, "same-site"), ("origin", "http://127.0.0.1:8080")], 403),
            (local, &[(SITE, "cross-site")], 403),
            (local, &[(SITE, "something-new")], 403),
            (local, &[(SITE, ""), ("origin", "http://evil.example")], 403),
            (local, &[("origin", "http://127.0.0.1:8080")], 200),
            (local, &[("origin", "http://127.0.0.1:8081")], 403),
            (local, &[("origin", "http://127.0.0.1")], 403),
            (local, &[("origin", "http://localhost:8080")], 403),
            (local, &[("origin", "http://evil.example:8080")], 403),
            (local, &[("origin", "null")], 403),
            (local, &[("origin", "file://")], 403),
            (local, &[("origin", "127.0.0.1:8080")], 403),
            (local, &[("origin", "chrome-extension://127.0.0.1:8080")], 403),
            (local, &[("origin", "http://127.0.0.1:8080/")], 403),
            ("shop.example", &[("origin", "https://shop.example")], 200),
            ("shop.example:443", &[("origin", "https://Shop.example")], 200),
            ("shop.example", &[("origin", "https://evil.shop.example")], 403),
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "QUERY"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let mut request = Request::builder().method(method).header("host", host);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let request = request.uri(Uri::from_static("/orders")).finish();
                assert_eq!(status(&request), expected, "{host} {headers:?}");
            }
            let mut request = Request::builder().header("host", host);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(status(&request.finish()), 200, "GET {host} {headers:?}");
        }
    }
}
