//! The client of the shop: requests to the server, few at a time, patient when it is busy.

use anyhow::{Context, bail};
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Requests under way at once: enough to keep a server busy, few enough for its socket backlog.
const REQUESTS_MAX: usize = 64;
/// How long one answer may take. A server under load answers "busy" long before.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long a busy server is asked again.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before asking again when the server names none.
const PAUSE: Duration = Duration::from_millis(200);
/// How much of an unexpected answer is shown.
const EXCERPT_CHARS: usize = 200;

/// A server that sells things.
pub struct Shop {
    http: reqwest::Client,
    url: String,
    requests: Semaphore,
}

/// What the server answered.
pub struct ShopResponse {
    /// Its status.
    pub status: StatusCode,
    text: String,
    asked: String,
}

impl Shop {
    /// A client of the server at this address.
    pub fn open(url: &str) -> anyhow::Result<Self> {
        // The server asked for is meant, not whatever proxy the environment names.
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build()?;
        let requests = Semaphore::new(REQUESTS_MAX);
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), requests })
    }

    /// What is found at a path; none when there is nothing.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        let answer = self.ask(Method::GET, path, None::<&()>, None).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.expect(&[200])?.read().map(Some)
    }

    /// Posts a body, or nothing, under an idempotency key, or none.
    pub async fn post(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
    ) -> anyhow::Result<ShopResponse> {
        self.ask(Method::POST, path, body, key).await
    }

    /// Asks again only where nothing can have happened: not connected, or turned away as too busy.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
    ) -> anyhow::Result<ShopResponse> {
        let asked = format!("{method} {path}");
        let until = Instant::now() + PATIENCE;
        loop {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            let permit = self.requests.acquire().await.context("the door is never closed")?;
            let outcome = request.send().await;
            let patient = Instant::now() < until;
            let pause = match outcome {
                Ok(busy) if busy.status() == StatusCode::SERVICE_UNAVAILABLE && patient => {
                    retry_after(&busy)
                }
                Ok(response) => {
                    let status = response.status();
                    let text = response.text().await.with_context(|| asked.clone())?;
                    return Ok(ShopResponse { status, text, asked });
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("{asked} at {}", self.url));
                }
            };
            drop(permit);
            tokio::time::sleep(pause).await;
        }
    }
}

fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get("Retry-After").and_then(|value| value.to_str().ok());
    header.and_then(|text| text.parse().ok()).map_or(PAUSE, Duration::from_secs).min(PATIENCE)
}

impl ShopResponse {
    /// The answer, if its status is one of these.
    pub fn expect(self, statuses: &[u16]) -> anyhow::Result<Self> {
        if statuses.contains(&self.status.as_u16()) {
            return Ok(self);
        }
        let excerpt: String = self.text.chars().take(EXCERPT_CHARS).collect();
        bail!("{} answered {}: {excerpt}", self.asked, self.status.as_u16())
    }

    /// What its body says.
    pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_str(&self.text).with_context(|| format!("{}: unreadable", self.asked))
    }
}
