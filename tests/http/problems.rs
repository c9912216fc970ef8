//! Addresses, methods and request ids.

use super::support::{Shop, send};
use reqwest::Method;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn allow_says_what_each_address_takes() {
    let shop = Shop::open().await;
    let document = shop.get("/openapi.json").await.expect(200).json();
    let mut expected: Vec<(String, BTreeSet<String>)> = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys().map(|method| method.to_uppercase());
        let mut methods: BTreeSet<String> = methods.collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        expected.push((path.replace(['{', '}'], ""), methods));
    }
    let read_only = || BTreeSet::from(["GET".to_owned(), "HEAD".to_owned()]);
    expected.push(("/docs".to_owned(), read_only()));
    expected.push(("/openapi.json".to_owned(), read_only()));
    expected.push(("/asyncapi.json".to_owned(), read_only()));
    assert!(expected.len() > 20);
    for (path, methods) in expected {
        for method in ["DELETE", "OPTIONS", "PATCH", "PUT", "POST", "GET", "BREW"] {
            if methods.contains(method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = send(shop.request(method, &path)).await;
            let allow = answer.header("allow").split(", ").map(str::to_owned).collect();
            assert_eq!(methods, allow, "{path}");
            answer.problem(405);
        }
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_404() {
    let shop = Shop::open().await;
    for path in ["/nothing", "/orders/", "/orders/a/b/c", "//orders", "/docs/x"] {
        let answer = shop.get(path).await;
        assert_eq!(answer.header("allow"), "");
        answer.problem(404);
    }
    shop.get("/inventory/%ff").await.problem(400);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_at_the_front_is_led_to_the_documentation() {
    let shop = Shop::open().await;
    let page = shop.get("/").await.expect(200);
    assert!(page.text.contains("Swagger UI"), "{}", page.text);
    let split = send(shop.request(Method::POST, "/admin/actors/order/journal/restart")).await;
    assert!(split.problem(404)["detail"].as_str().unwrap().contains("%2F"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let shop = Shop::open().await;
    for path in
        ["/orders?state=PENDING", "/inventory?limit=1&product=x", "/notifications?%6Crder=1"]
    {
        let problem = shop.get(path).await.problem(400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("limit"), "{path}: {detail}");
    }
    shop.get("/orders?%73tatus=PENDING&limit=1").await.expect(200);
    shop.get("/orders?user_id=42&customer_id=anna").await.fault(400, "user_id");
    shop.get("/orders?user_id=42&customer_id=42").await.expect(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_its_callers_id_or_a_new_one() {
    let shop = Shop::open().await;
    let ask = |path: &'static str, id: Vec<u8>| {
        let id = reqwest::header::HeaderValue::from_bytes(&id).unwrap();
        send(shop.request(Method::GET, path).header("X-Request-ID", id))
    };
    for path in ["/health", "/nothing", "/orders?limit=0", "/orders/x"] {
        for id in ["a", "7b3c-trace/1", &"x".repeat(128)] {
            let answer = ask(path, id.as_bytes().to_vec()).await;
            assert_eq!(answer.header("x-request-id"), id);
            if path != "/health" {
                assert_eq!(answer.json()["request_id"], id);
            }
        }
    }
    let bad = [b"".to_vec(), b"a b".to_vec(), vec![b'x'; 129], b"\xc3\xbc".to_vec()];
    for id in bad {
        let answer = ask("/orders/x", id.clone()).await;
        let made = answer.header("x-request-id").to_owned();
        assert!(made.len() == 36 && made.as_bytes() != id, "{made}");
        assert_eq!(answer.json()["request_id"], made);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_page_asks_nothing_of_other_servers() {
    let shop = Shop::open().await;
    let page = shop.get("/docs").await.expect(200).text;
    assert!(page.contains("SwaggerUIBundle"));
    for tag in ["<script src=\"http", "<link href=\"http", "<script src=\"//", "@import url(http"] {
        assert!(!page.contains(tag), "{tag}");
    }
    let document = shop.get("/openapi.json").await.expect(200);
    assert!(page.contains(document.text.trim()), "the page shows the document that is served");
    shop.get("/docs/").await.expect(200);
    shop.close().await;
}
