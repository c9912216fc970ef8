//! Preconditions (RFC 9110, section 13): honoured where a resource can be written, refused elsewhere.

use super::support::{Shop, ShopResponse, order, send};
use reqwest::Method;
use serde_json::{Value, json};

const PRECONDITIONS: [(&str, &str); 5] = [
    ("if-match", r#""1""#),
    ("if-none-match", r#""1""#),
    ("if-modified-since", "Sat, 29 Oct 1994 19:43:31 GMT"),
    ("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT"),
    ("if-range", r#""1""#),
];

async fn conditional(
    shop: &Shop,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
) -> ShopResponse {
    let mut request = shop.request(method.clone(), path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match *method {
        Method::PUT => request = request.json(&json!({ "available_qty": 3 })),
        Method::PATCH => request = request.json(&json!({ "is_read": true })),
        _ => {}
    }
    send(request).await
}

fn described(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let headers = parameters.filter(|parameter| parameter["in"] == "header");
    headers.map(|header| header["name"].as_str().unwrap().to_ascii_lowercase()).collect()
}

/// Every route of the document, with every precondition: those that it does not name are refused, before
/// anything is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_precondition_that_a_route_does_not_support_is_refused() {
    let shop = Shop::open().await;
    let document = shop.get("/openapi.json").await.expect(200).json();
    let mut refused = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let address: String = path
            .split('/')
            .skip(1)
            .map(|segment| match segment.starts_with('{') {
                true => "/0190d6e8-0000-7000-8000-000000000000".to_owned(),
                false => format!("/{segment}"),
            })
            .collect();
        for (method, operation) in operations.as_object().unwrap() {
            let supported = described(operation);
            let written = ["put", "patch", "delete"].contains(&method.as_str());
            if written {
                assert!(supported.contains(&"if-match".to_owned()), "{method} {path}");
                assert!(supported.contains(&"if-none-match".to_owned()), "{method} {path}");
                let read = &operations["get"]["responses"];
                assert!(read["200"]["headers"]["ETag"].is_object(), "{path} has an ETag");
                assert!(read["304"].is_object(), "{path}");
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for (name, value) in PRECONDITIONS {
                if supported.contains(&name.to_owned()) {
                    continue;
                }
                let answer = conditional(&shop, &method, &address, &[(name, value)]).await;
                let problem = answer.problem(412);
                let detail = problem["detail"].as_str().unwrap().to_ascii_lowercase();
                assert!(detail.contains(&format!("`{name}`")), "{method} {path}: {detail}");
                assert!(operation["responses"]["412"].is_object(), "{method} {path}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "only {refused} were refused");
    for path in ["/docs", "/openapi.json", "/asyncapi.json"] {
        conditional(&shop, &Method::GET, path, &PRECONDITIONS[..1]).await.problem(412);
        shop.get(path).await.expect(200);
    }
    // What is not there, or not with this method, is so under any condition (section 13.2.1).
    conditional(&shop, &Method::GET, "/nowhere", &PRECONDITIONS).await.problem(404);
    conditional(&shop, &Method::DELETE, "/orders", &PRECONDITIONS).await.problem(405);
    conditional(&shop, &Method::OPTIONS, "/orders", &PRECONDITIONS).await.problem(405);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_under_a_precondition_that_is_refused() {
    let shop = Shop::open().await;
    shop.stock("cup", 5).await;
    let place =
        shop.request(Method::POST, "/orders").header("if-match", "*").json(&order("cup", 1));
    send(place).await.problem(412);
    let adjust = shop
        .request(Method::POST, "/inventory/cup/adjustments")
        .header("if-match", r#""1""#)
        .json(&json!({ "delta": 1, "reason": "x" }));
    send(adjust).await.problem(412);
    assert_eq!(shop.get("/orders").await.json()["orders"], json!([]));
    assert_eq!(shop.get("/inventory/cup").await.json()["on_hand"], 5);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_is_read_and_set_under_its_preconditions() {
    let shop = Shop::open().await;
    let created =
        shop.post("/inventory", &json!({ "product_id": "cup", "available_qty": 1 })).await;
    assert_eq!(created.expect(201).header("etag"), r#""1""#);
    let cup = "/inventory/cup";
    let get = async |headers: &[(&str, &str)]| conditional(&shop, &Method::GET, cup, headers).await;
    let unchanged = get(&[("if-none-match", r#"W/"1", "x""#)]).await.expect(304);
    assert_eq!((unchanged.header("etag"), unchanged.text.as_str()), (r#""1""#, ""));
    get(&[("if-none-match", "*")]).await.expect(304);
    get(&[("if-none-match", r#""2""#)]).await.expect(200);
    get(&[("if-match", r#""1""#)]).await.expect(200);
    get(&[("if-match", r#""2""#)]).await.problem(412);
    get(&[("if-match", "1")]).await.fault(400, "If-Match");
    get(&[("if-none-match", r#""1" "2""#)]).await.fault(400, "If-None-Match");
    // What has a tag to go by does not go by a date (section 13.1.3).
    let date = PRECONDITIONS[2];
    get(&[("if-none-match", r#""1""#), date]).await.expect(304);
    let head = conditional(&shop, &Method::HEAD, cup, &[("if-none-match", r#""1""#)]).await;
    head.expect(304);

    let put = async |headers: &[(&str, &str)]| conditional(&shop, &Method::PUT, cup, headers).await;
    for refused in [
        ("if-match", r#""2""#),
        ("if-match", r#"W/"1""#),
        ("if-none-match", r#"W/"1""#),
        ("if-none-match", "*"),
    ] {
        put(&[refused]).await.problem(412);
    }
    assert_eq!(shop.get(cup).await.json()["version"], 1, "nothing was set");
    let set = put(&[("if-match", r#""7""#), ("if-match", r#""1""#)]).await.expect(200).json();
    assert_eq!((&set["available_qty"], &set["version"]), (&json!(3), &json!(2)));
    put(&[("if-match", r#""1""#)]).await.problem(412);
    put(&[("if-match", "*")]).await.expect(200);
    let nobody = conditional(&shop, &Method::PUT, "/inventory/none", &[("if-match", "*")]).await;
    nobody.problem(404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_read_and_marked_under_its_preconditions() {
    let shop = Shop::open().await;
    shop.stock("cup", 5).await;
    let placed = shop.place(&order("cup", 1)).await;
    let path = format!("/notifications/{placed}.order.created");
    shop.wait(&path, |view| view["is_read"] == false).await;
    let seen = shop.get(&path).await.expect(200);
    assert_eq!(seen.header("etag"), r#""unread""#);
    let one = async |method: &Method, headers: &[(&str, &str)]| {
        conditional(&shop, method, &path, headers).await
    };
    one(&Method::GET, &[("if-none-match", r#""unread""#)]).await.expect(304);
    one(&Method::PATCH, &[("if-match", r#""read""#)]).await.problem(412);
    one(&Method::PATCH, &[("if-match", r#""unread""#)]).await.expect(200);
    one(&Method::PATCH, &[("if-match", r#""unread""#)]).await.problem(412);
    one(&Method::PATCH, &[("if-none-match", r#""read""#)]).await.problem(412);
    assert_eq!(shop.get(&path).await.header("etag"), r#""read""#);
    shop.get("/notifications/nothing").await.problem(404);
    shop.close().await;
}
