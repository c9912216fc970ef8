//! The pages of the simulated gateway: where they are served, and for whom.

use super::support::{Shop, send};
use reqwest::{Method, RequestBuilder};

/// A key under which no payment was requested.
const UNKNOWN: &str = "/simulated-gateway/pages/0195f0a0-0000-7000-8000-000000000001";

fn form(shop: &Shop, path: &str, body: &'static str) -> RequestBuilder {
    let request = shop.request(Method::POST, path).body(body);
    request.header("content-type", "application/x-www-form-urlencoded")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_payment_is_a_page_that_says_so() {
    let shop = Shop::open().await;
    for path in [UNKNOWN, "/simulated-gateway/pages/none"] {
        for answer in [shop.get(path).await, send(form(&shop, path, "choice=pay")).await] {
            let answer = answer.expect(404);
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert!(answer.text.contains("There is no payment at this address."), "{path}");
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("form-action 'self'"), "{policy}");
        }
    }
    let unclear = send(form(&shop, UNKNOWN, "choice=steal")).await.expect(422);
    assert!(unclear.text.contains("choice=pay"), "{}", unclear.text);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_send_the_form() {
    let shop = Shop::open().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let forged = form(&shop, UNKNOWN, "choice=pay").header(name, value);
        send(forged).await.problem(403);
    }
    let own = form(&shop, UNKNOWN, "choice=pay").header("origin", &shop.url);
    send(own).await.expect(404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_where_the_setting_says_so() {
    let shop = Shop::with(|config| config.payment.serves_pages = Some(false)).await;
    shop.get(UNKNOWN).await.problem(404);
    send(form(&shop, UNKNOWN, "choice=pay")).await.problem(404);
    shop.close().await;
}
