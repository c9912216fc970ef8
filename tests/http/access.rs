//! Who may do what: every route of the document with a key of every role, and what locks a server.

use super::support::{Shop, send};
use ordermill_domain::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Keys are read every 5 s; a busy machine may take a little longer.
const KEYS_READ_WITHIN: Duration = Duration::from_secs(8);

/// Runs `ordermill keys` on a data directory; its standard output, and whether it succeeded.
async fn keys(directory: &Path, line: &str) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordermill"));
    for name in ["ACCESS_DATABASE_URL", "DATABASE_URL", "ORDERMILL_API_KEY"] {
        command.env_remove(name);
    }
    command.arg("keys").args(line.split_whitespace()).arg("--data-dir").arg(directory);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// Creates a key on the command line; the key.
async fn created(directory: &Path, line: &str) -> String {
    let (succeeded, stdout, stderr) = keys(directory, &format!("create {line}")).await;
    assert!(succeeded, "{stderr}");
    assert_eq!(stdout.lines().count(), 1, "the key alone is printed: {stdout}");
    stdout.trim().to_owned()
}

/// A server that is locked from its start on, and a key of each role.
async fn locked_shop() -> (Shop, Vec<(Role, String)>) {
    let shop = Shop::open().await;
    let directory = shop.directory.path().to_owned();
    let mut made = Vec::new();
    for role in Role::ALL {
        let customer = if *role == Role::Customer { " --customer anna" } else { "" };
        made.push((*role, created(&directory, &format!("--role {role}{customer}")).await));
    }
    (shop.reopen().await, made)
}

fn key_of(keys: &[(Role, String)], role: Role) -> &str {
    &keys.iter().find(|(of, _)| *of == role).unwrap().1
}

async fn status(shop: &Shop, method: &Method, path: &str, key: Option<&str>) -> u16 {
    let mut request = shop.request(method.clone(), path);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    // A stream does not end: its status is enough.
    request.send().await.unwrap().status().as_u16()
}

/// A path of the document with something in place of its parameters.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{order_id}" | "{saga_id}" => "019589c0-6a10-7b3a-8c1d-2e4f5a6b7c8d",
        "{id}" => "019589c0-6a10-7b3a-8c1d-2e4f5a6b7c8e",
        "{records}" => "orders",
        segment if segment.starts_with('{') => "none",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_for_the_roles_of_the_document_and_for_nobody_else() {
    let (shop, keys) = locked_shop().await;
    let document = shop.get("/openapi.json").await.expect(200).json();
    let (mut allowed, mut refused) = (0, 0);
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            let security = operation["security"].as_array();
            let security = security.unwrap_or_else(|| panic!("{name} does not say who may use it"));
            let method: Method = method.to_uppercase().parse().unwrap();
            let anyone = status(&shop, &method, &filled(path), None).await;
            if security.is_empty() {
                assert!(![401, 403].contains(&anyone), "{name}: {anyone} without a key");
                continue;
            }
            assert_eq!(anyone, 401, "{name} without a key");
            for (role, key) in &keys {
                let got = status(&shop, &method, &filled(path), Some(key)).await;
                match operation["x-roles"][role.as_str()].as_str() {
                    Some("all") => {
                        assert!(![401, 403].contains(&got), "{name} as {role}: {got}");
                        allowed += 1;
                    }
                    // What is his own is not told from what is not, yet.
                    Some("own") | None => {
                        assert_eq!(got, 403, "{name} as {role}");
                        refused += 1;
                    }
                    Some(other) => panic!("{name}: {other}"),
                }
            }
        }
    }
    assert!(allowed > 100 && refused > 100, "{allowed} allowed, {refused} refused");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_send_and_which_role_is_needed() {
    let (shop, keys) = locked_shop().await;
    let none = shop.get("/orders").await;
    assert_eq!(none.header("www-authenticate"), r#"Bearer realm="ordermill""#);
    assert!(none.problem(401)["detail"].as_str().unwrap().contains("Authorization: Bearer"));

    let metrics = key_of(&keys, Role::Metrics);
    let refused = send(shop.request(Method::GET, "/orders").bearer_auth(metrics)).await;
    let detail = refused.problem(403)["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("role metrics") && detail.contains("shop, operator, admin"),
        "{detail}"
    );
    assert!(!detail.contains(metrics), "the key itself is told: {detail}");

    let mistyped = metrics.replace("omk_live_", "omk_live_0");
    for (key, word) in [
        (&*mistyped, "copy the whole key"),
        ("omk_live_00000000_00000000000000000000000000000000_000000", "checksum"),
    ] {
        let refused = send(shop.request(Method::GET, "/orders").bearer_auth(key)).await;
        assert!(refused.header("www-authenticate").contains("invalid_token"));
        let detail = refused.problem(401)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{detail}");
    }
    let header = shop.request(Method::GET, "/metrics").header("x-api-key", metrics);
    send(header).await.expect(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_says_does_not_matter_to_somebody_who_may_not() {
    let (shop, keys) = locked_shop().await;
    // Larger than any route takes: it would be 413.
    let body = "x".repeat(1 << 20);
    let anyone = shop.request(Method::POST, "/orders").body(body.clone()).send().await;
    // The server may close the connection while the body is still being sent.
    assert!(anyone.is_err() || anyone.is_ok_and(|answer| answer.status() == 401));
    let operator = key_of(&keys, Role::Operator);
    let refused =
        shop.request(Method::POST, "/orders").bearer_auth(operator).body(body).send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == 403));
    shop.close().await;
}

async fn until(shop: &Shop, path: &str, key: Option<&str>, expected: u16) {
    let begun = Instant::now();
    while status(shop, &Method::GET, path, key).await != expected {
        assert!(begun.elapsed() < KEYS_READ_WITHIN, "{path} is not {expected} in time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_locks_a_running_server_and_a_revoked_one_is_refused() {
    let shop = Shop::open().await;
    let directory = shop.directory.path().to_owned();
    assert_eq!(status(&shop, &Method::GET, "/orders", None).await, 200, "it is open");
    let first = shop.post("/admin/keys", &json!({ "role": "admin" })).await.problem(409);
    assert!(first["detail"].as_str().unwrap().contains("ordermill keys create"), "{first}");
    assert!(!directory.join("access.db").exists(), "nobody has made a key");

    let key = created(&directory, "--role shop --name till").await;
    until(&shop, "/orders", None, 401).await;
    assert_eq!(status(&shop, &Method::GET, "/orders", Some(&key)).await, 200);

    let id = key.split('_').nth(2).unwrap();
    let (revoked, _, stderr) = keys(&directory, &format!("revoke {id} --reason lost")).await;
    assert!(revoked, "{stderr}");
    until(&shop, "/orders", Some(&key), 401).await;
    let again = keys(&directory, &format!("revoke {id} --reason lost")).await;
    assert!(!again.0 && again.2.contains("revoked already"), "{}", again.2);

    // Without any key that is good it stays locked, also when it starts again.
    let shop = shop.reopen().await;
    assert_eq!(status(&shop, &Method::GET, "/orders", None).await, 401);
    let (_, listed, _) = keys(&directory, "list --json").await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["id"], &listed["status"]), (&json!(id), &json!("revoked")));
    assert_eq!((&listed["name"], &listed["revoked_reason"]), (&json!("till"), &json!("lost")));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_expires() {
    let shop = Shop::open().await;
    let directory = shop.directory.path().to_owned();
    let key = created(&directory, "--role metrics --expires 3s").await;
    let shop = shop.reopen().await;
    until(&shop, "/metrics", Some(&key), 401).await;
    let refused = send(shop.request(Method::GET, "/metrics").bearer_auth(&key)).await;
    assert!(refused.problem(401)["detail"].as_str().unwrap().contains("expired"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_read_let_nobody_in() {
    let shop = Shop::open().await;
    let directory = shop.directory.path().to_owned();
    created(&directory, "--role admin").await;
    let directory = shop.close().await;
    std::fs::write(directory.path().join("access.db"), "this is no database").unwrap();
    let shop = Shop::on(directory).await;
    let refused = shop.get("/orders").await;
    assert_eq!(refused.header("retry-after"), "5");
    assert!(refused.problem(503)["detail"].as_str().unwrap().contains("API keys"));
    shop.get("/health").await.expect(200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_manage_keys_over_http() {
    let (shop, keys) = locked_shop().await;
    let admin = key_of(&keys, Role::Admin);
    let asked = |method, path: &str| shop.request(method, path).bearer_auth(admin);

    let new = json!({ "role": "customer", "customer_id": "bert", "expires_in": "90d" });
    let made = send(asked(Method::POST, "/admin/keys").json(&new)).await.expect(201).json();
    let (key, id) = (made["api_key"].as_str().unwrap(), made["key"]["id"].as_str().unwrap());
    assert_eq!(
        (&made["key"]["customer_id"], &made["key"]["status"]),
        (&json!("bert"), &json!("active"))
    );
    assert_eq!(status(&shop, &Method::GET, "/inventory", Some(key)).await, 200, "at once");

    let rotate = asked(Method::POST, &format!("/admin/keys/{id}/rotate"));
    let rotated = send(rotate).await.expect(201).json();
    assert_eq!(status(&shop, &Method::GET, "/inventory", Some(key)).await, 401);
    let (key, id) = (rotated["api_key"].as_str().unwrap(), rotated["key"]["id"].as_str().unwrap());
    assert_eq!(status(&shop, &Method::GET, "/inventory", Some(key)).await, 200);
    assert_eq!(rotated["key"]["customer_id"], "bert");

    let path = format!("/admin/keys/{id}/revoke");
    send(asked(Method::POST, &path)).await.fault(400, "X-Reason");
    send(asked(Method::POST, &path).header("x-reason", "left")).await.expect(204);
    send(asked(Method::POST, &path).header("x-reason", "left")).await.problem(404);
    assert_eq!(status(&shop, &Method::GET, "/inventory", Some(key)).await, 401);

    let listed = send(asked(Method::GET, "/admin/keys")).await.expect(200);
    assert_eq!(listed.json()["keys"].as_array().unwrap().len(), Role::ALL.len() + 2);
    assert!(!listed.text.contains(admin) && !listed.text.contains("hash"), "{}", listed.text);

    for (new, field) in [
        (json!({ "role": "root" }), "role"),
        (json!({ "role": "customer" }), "customer_id"),
        (json!({ "role": "shop", "customer_id": "bert" }), "customer_id"),
        (json!({ "role": "shop", "expires_in": "tomorrow" }), "expires_in"),
    ] {
        send(asked(Method::POST, "/admin/keys").json(&new)).await.fault(422, field);
    }
    shop.close().await;
}
