//! What a web page of another site, or a name that is not this server's, can make of a browser: nothing.

use super::support::{Shop, ShopResponse, order, send};
use reqwest::{Method, RequestBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What every answer has, and what it is.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// An operation of the document: its method, its path with something for each parameter, whether it has a
/// body.
struct Operation {
    method: Method,
    path: String,
    has_body: bool,
}

impl Operation {
    fn request(&self, shop: &Shop) -> RequestBuilder {
        shop.request(self.method.clone(), &self.path)
    }
}

async fn operations(shop: &Shop) -> Vec<Operation> {
    let document = shop.get("/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let segments = path.split('/');
        let filled = segments.map(|part| if part.starts_with('{') { "a" } else { part });
        let path = filled.collect::<Vec<_>>().join("/");
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse() else { continue };
            let has_body = operation["requestBody"].is_object();
            operations.push(Operation { method, path: path.clone(), has_body });
        }
    }
    assert!(operations.len() > 30, "{} operations", operations.len());
    operations
}

/// Sends bytes on a connection of their own; gives all that comes back.
async fn raw(shop: &Shop, request: &str) -> String {
    let address = shop.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[track_caller]
fn assert_secure(answer: &ShopResponse, what: &str) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert_ne!(answer.header("cache-control"), "", "{what}");
    assert_ne!(answer.header("x-request-id"), "", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_cancel_an_order_nor_restart_an_actor() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let cancel = format!("/orders/{placed}/cancel");
    for path in [cancel.as_str(), "/admin/actors/order%2Fjournal/restart"] {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
        ] {
            let forged = shop.request(Method::POST, path).header(name, value);
            let forged = forged.header("content-type", "text/plain").body("x");
            send(forged).await.problem(403);
        }
    }
    shop.until(&placed, "CONFIRMED").await;
    let own = shop.request(Method::POST, &cancel).header("sec-fetch-site", "same-origin");
    send(own.header("origin", &shop.url)).await.expect(202);
    shop.until(&placed, "CANCELLED").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_unsafe_method_of_any_route_is_taken_from_another_site() {
    let shop = Shop::open().await;
    for operation in operations(&shop).await {
        let what = format!("{} {}", operation.method, operation.path);
        let of_page = |origin: &str| operation.request(&shop).header("origin", origin);
        if operation.method != Method::GET {
            let refused = send(of_page("http://evil.example")).await;
            assert_eq!(refused.status, 403, "{what}");
            assert_secure(&refused, &what);
            let fetched = operation.request(&shop).header("sec-fetch-site", "cross-site");
            assert_eq!(send(fetched).await.status, 403, "{what}");
            assert_ne!(send(of_page(&shop.url)).await.status, 403, "{what}");
            continue;
        }
        let response = of_page("http://evil.example").send().await.unwrap();
        assert_ne!(response.status(), 403, "{what}");
        // The page cannot read the answer.
        let shared = response.headers().get("access-control-allow-origin");
        assert!(shared.is_none(), "{what}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_name_is_refused() {
    let set = |config: &mut ordermill::config::Config| {
        config.hosts = ordermill::config::Hosts::parse("shop.example").unwrap();
    };
    let shop = Shop::with(set).await;
    let called = |name: &'static str| {
        let shop = &shop;
        move |path: &str| shop.request(Method::GET, path).header("host", name)
    };
    let mut paths: Vec<_> = operations(&shop).await.into_iter().map(|one| one.path).collect();
    paths.extend(["/docs", "/openapi.json", "/asyncapi.json", "/", "/nowhere"].map(str::to_owned));
    for path in paths {
        let answer = send(called("evil.example")(&path)).await;
        match path.as_str() {
            "/health" | "/ready" => assert_eq!(answer.status, 200, "{path}"),
            _ => assert_eq!(answer.status, 421, "{path}: {}", answer.text),
        }
    }
    for name in
        ["shop.example", "SHOP.example.:80", "localhost:1", "a.localhost", "[::1]", "10.0.0.1"]
    {
        send(called(name)("/orders")).await.expect(200);
    }
    let told = send(called("evil.example")("/orders")).await.problem(421);
    assert!(told["detail"].as_str().unwrap().contains("ORDERMILL_HOSTS"), "{told}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_needs_exactly_one_well_formed_host() {
    let shop = Shop::open().await;
    for (target, headers, status) in [
        ("/orders HTTP/1.1", "", 400),
        ("/orders HTTP/1.1", "host: localhost\r\nhost: localhost\r\n", 400),
        ("/orders HTTP/1.1", "host:\r\n", 400),
        ("/orders HTTP/1.1", "host: user@localhost\r\n", 400),
        ("/orders HTTP/1.1", "host: localhost:99999\r\n", 400),
        ("/orders HTTP/1.1", "host: localhost\r\n", 200),
        ("http://evil.example/orders HTTP/1.1", "host: localhost\r\n", 421),
        ("http://user@localhost/orders HTTP/1.1", "host: localhost\r\n", 400),
        ("http://localhost/orders HTTP/1.1", "host: localhost\r\n", 200),
        ("/orders HTTP/1.0", "", 200),
        ("/orders HTTP/1.0", "host: evil.example\r\n", 421),
        ("/health HTTP/1.1", "", 200),
    ] {
        let request = format!("GET {target}\r\n{headers}connection: close\r\n\r\n");
        let answer = raw(&shop, &request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{request:?}: {line}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{request:?}: {answer}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_security_headers() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let placed = shop.place(&order("chair", 1)).await;
    for (method, path) in [
        (Method::GET, "/orders"),
        (Method::HEAD, "/orders"),
        (Method::GET, "/orders/none"),
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/orders"),
        (Method::OPTIONS, "/orders"),
        (Method::POST, "/orders"),
        (Method::GET, "/"),
        (Method::GET, "/docs"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/asyncapi.json"),
        (Method::GET, "/metrics"),
        (Method::GET, "/health"),
    ] {
        let answer = send(shop.request(method.clone(), path)).await;
        assert_secure(&answer, &format!("{method} {path}"));
    }
    assert_eq!(shop.get("/orders").await.header("cache-control"), "no-store");
    let docs = shop.get("/docs").await;
    let policy = docs.header("content-security-policy");
    assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
    let stream =
        shop.request(Method::GET, &format!("/orders/{placed}/events")).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    for (name, value) in HEADERS {
        assert_eq!(stream.headers()[name], value, "events: {name}");
    }
    drop(stream);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_a_coding_that_is_not_known_is_refused_by_every_route() {
    let shop = Shop::open().await;
    for operation in operations(&shop).await.iter().filter(|operation| operation.has_body) {
        let what = format!("{} {}", operation.method, operation.path);
        let coded = |coding: &str| {
            let request = operation.request(&shop).header("content-encoding", coding);
            request.header("content-type", "application/json").body("{}")
        };
        for coding in ["gzip", "br", "identity, gzip", "x-unknown"] {
            let refused = send(coded(coding)).await;
            assert_eq!(refused.status, 415, "{what}: {coding}");
            assert_eq!(refused.header("accept-encoding"), "identity", "{what}");
            let told = refused.problem(415);
            assert!(told["detail"].as_str().unwrap().contains("Content-Encoding"), "{told}");
        }
        for coding in ["identity", "Identity", ""] {
            assert_ne!(send(coded(coding)).await.status, 415, "{what}: {coding:?}");
        }
    }
    // JSON that would be taken without the header.
    let body = order("chair", 1).to_string();
    let plain = || shop.request(Method::POST, "/orders").header("content-type", "application/json");
    send(plain().header("content-encoding", "gzip").body(body.clone())).await.problem(415);
    send(plain().header("content-encoding", "identity").body(body)).await.expect(201);
    let orders = shop.get("/orders").await.json();
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "{orders}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn body_headers_are_never_ignored() {
    let shop = Shop::open().await;
    let body = order("chair", 1).to_string();
    for (content_type, status) in [
        ("application/json", 201),
        ("application/json; charset=UTF-8", 201),
        ("application/json; charset=\"utf-8\"", 201),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json; charset=utf-16", 415),
    ] {
        let request = shop.request(Method::POST, "/orders").header("content-type", content_type);
        let answer = send(request.body(body.clone())).await;
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
    }
    let part = shop.request(Method::PUT, "/inventory/chair").header("content-range", "bytes 0-1/9");
    let part = part.header("content-type", "application/json").body(r#"{"available_qty": 1}"#);
    send(part).await.problem(400);
    let length = body.len();
    for (headers, body, status) in [
        ("transfer-encoding: chunked", format!("{length:x}\r\n{body}\r\n0\r\n\r\n"), 201),
        ("transfer-encoding: gzip, chunked", format!("{length:x}\r\n{body}\r\n0\r\n\r\n"), 501),
        (&format!("expect: a-miracle\r\ncontent-length: {length}"), body.clone(), 417),
        (&format!("content-type: text/plain\r\ncontent-length: {length}"), body.clone(), 400),
    ] {
        let request = format!(
            "POST /orders HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\n{headers}\r\n\r\n{body}"
        );
        let answer = raw(&shop, &request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{headers}: {line}");
    }
    // Who waits to be told to go on is not told to send what is refused anyhow.
    let request = "POST /orders HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n\
         content-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
    let answer = raw(&shop, request).await;
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    assert_eq!(shop.get("/orders").await.json()["orders"].as_array().map(Vec::len), Some(4));
    shop.close().await;
}
