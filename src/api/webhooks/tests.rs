//! Every answer to a notification, and what the second listener serves.

use super::*;
use crate::app::world;
use crate::metrics::Facts;
use async_trait::async_trait;
use ordermill_actors::payment::RequestError;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{PaymentRequest, Refund};
use poem::test::{TestClient, TestResponse};

/// Webhooks that are not open yet.
fn closed() -> Arc<Webhooks> {
    let facts = Facts { backend: "embedded", flow: "orchestrated", data_dir: None };
    Arc::new(Webhooks::new(&ServerMetrics::new(facts)))
}

/// A payment service that reads what it shall answer from the body.
struct Told;

#[async_trait]
impl PaymentRequests for Told {
    async fn notification(
        &self,
        provider: Provider,
        body: &[u8],
    ) -> Result<NotificationTaken, NotificationRefused> {
        match body {
            b"stored" => Ok(NotificationTaken::Stored),
            b"repeated" => Ok(NotificationTaken::Repeated),
            b"unmatched" => Ok(NotificationTaken::Unmatched),
            b"test" => Ok(NotificationTaken::Test),
            b"forged" => Err(NotificationError::Forged.into()),
            b"merchant" => Err(NotificationError::OtherMerchant.into()),
            b"unconfigured" => Err(NotificationRefused::NotConfigured(provider)),
            b"unavailable" => Err(NotificationRefused::Unavailable),
            b"slow" => std::future::pending().await,
            _ => Err(NotificationError::Malformed("`order_id` is missing".into()).into()),
        }
    }

    async fn request(&self, _: OrderId, _: PaymentRequest) -> Result<Option<Refund>, RequestError> {
        Err(RequestError::Unavailable)
    }

    async fn refunds(&self, _: OrderId) -> Result<Vec<Refund>, RequestError> {
        Err(RequestError::Unavailable)
    }
}

fn webhooks() -> Arc<Webhooks> {
    let webhooks = closed();
    webhooks.open(Arc::new(Told));
    webhooks
}

fn client(webhooks: Arc<Webhooks>) -> TestClient<WebhookListener> {
    TestClient::new(WebhookListener::new(webhooks, world::real()))
}

async fn post(client: &TestClient<WebhookListener>, body: &str) -> TestResponse {
    let request = client.post("/webhooks/midtrans").content_type("application/json");
    request.body(body.to_owned()).send().await
}

fn status(response: &TestResponse) -> u16 {
    response.0.status().as_u16()
}

#[tokio::test]
async fn a_gateway_is_told_what_became_of_its_notification() {
    let client = client(webhooks());
    for body in ["stored", "repeated", "unmatched", "test"] {
        let response = post(&client, body).await;
        response.assert_status_is_ok();
        response.assert_content_type("application/json");
        response.assert_text(r#"{"status":"ok"}"#).await;
    }
    for (body, expected) in [
        ("{}", 400),
        ("forged", 403),
        ("merchant", 403),
        ("unconfigured", 404),
        (&"x".repeat(64 * 1024), 400),
        (&"x".repeat(64 * 1024 + 1), 413),
        ("unavailable", 503),
    ] {
        let response = post(&client, body).await;
        assert_eq!(status(&response), expected);
        response.assert_content_type("application/problem+json");
        let is_busy = expected == 503;
        assert_eq!(response.0.headers().contains_key("retry-after"), is_busy);
        if is_busy {
            response.assert_header("retry-after", "60");
        }
    }
}

#[tokio::test]
async fn both_paths_take_json_by_post_only() {
    let client = client(webhooks());
    for (path, _) in PATHS {
        let response = client.get(path).send().await;
        assert_eq!(status(&response), 405);
        response.assert_header("allow", "POST");
        for media in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
            let request = client.post(path).content_type(media).body("stored");
            assert_eq!(status(&request.send().await), 200, "{media}");
        }
        for media in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let request = client.post(path).content_type(media).body("stored");
            assert_eq!(status(&request.send().await), 415, "{media}");
        }
        let coded = client.post(path).content_type("application/json");
        let coded = coded.header("content-encoding", "gzip").body("stored");
        assert_eq!(status(&coded.send().await), 415);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_in_time_comes_again() {
    let response = post(&client(webhooks()), "slow").await;
    assert_eq!(status(&response), 503);
    response.assert_header("retry-after", "60");
}

#[tokio::test]
async fn while_the_process_starts_notifications_come_again() {
    let client = client(closed());
    let response = post(&client, "stored").await;
    assert_eq!(status(&response), 503);
    response.assert_header("retry-after", "60");
    client.get("/health").send().await.assert_status_is_ok();
}

#[tokio::test]
async fn many_at_once_are_turned_away() {
    let webhooks = webhooks();
    let client = client(webhooks.clone());
    let all = webhooks.open.acquire_many(u32::try_from(OPEN_MAX).unwrap()).await.unwrap();
    let response = post(&client, "stored").await;
    assert_eq!(status(&response), 503);
    response.assert_header("retry-after", "60");
    drop(all);
    assert_eq!(status(&post(&client, "stored").await), 200);
}

#[tokio::test]
async fn the_second_listener_serves_nothing_else_and_has_no_rules_of_origin() {
    let client = client(webhooks());
    for path in
        ["/orders", "/ready", "/metrics", "/docs", "/webhooks/stripe", "/webhooks/midtrans/"]
    {
        assert_eq!(status(&client.get(path).send().await), 404, "{path}");
    }
    assert_eq!(status(&client.post("/health").send().await), 405);
    let request = client.post("/webhooks/midtrans").content_type("application/json");
    let request = request.header("host", "evil.example").header("origin", "https://evil.example");
    let response = request.body("stored").send().await;
    assert_eq!(status(&response), 200);
    response.assert_header("x-content-type-options", "nosniff");
    assert!(response.0.headers().contains_key("x-request-id"));
}
