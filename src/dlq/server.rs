//! The server that is asked.

use anyhow::{Context, anyhow};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// How long an answer may take: redriving a whole queue takes a commit for every hundred.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// How long a download may take: a large database on a slow line.
const DOWNLOAD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long it may take until somebody listens: a server that is there takes milliseconds.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// A server.
pub(crate) struct Server {
    http: reqwest::Client,
    url: String,
}

impl Server {
    /// The server at this address.
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        // The server asked for is meant, not whatever proxy the environment names.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_MAX).build()?;
        Ok(Self { http, url: url.to_owned() })
    }

    /// What is found at a path.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        self.ask(Method::GET, path, query, None).await
    }

    /// What becomes of what is asked for.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        self.ask(Method::POST, path, query, body).await
    }

    /// What is posted for, to be read as it comes: for as long as something comes.
    pub(crate) async fn download(&self, path: &str) -> anyhow::Result<Response> {
        self.answer(self.http.post(self.address(path)?), DOWNLOAD_MAX).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.read(self.answer(request, ANSWER_MAX).await?).await
    }

    fn address(&self, path: &str) -> anyhow::Result<Url> {
        Ok(Url::parse(&format!("{}{path}", self.url))?)
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> anyhow::Result<T> {
        let text = response.text().await.context("the response is incomplete")?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not an Ordermill server of this version", self.url))
    }

    async fn answer(&self, request: RequestBuilder, within: Duration) -> anyhow::Result<Response> {
        let response = request.timeout(within).send().await;
        let response = response.map_err(|error| {
            anyhow!(error.without_url())
                .context(format!("no server responds at {} (--url)", self.url))
        })?;
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.context("the response is incomplete")?;
            // Every problem of the server is told as RFC 9457 wants it.
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            return Err(match problem["detail"].as_str() {
                Some(detail) => anyhow!("{detail}"),
                None => {
                    anyhow!("{} is not an Ordermill server: it responded with {status}", self.url)
                }
            });
        }
        Ok(response)
    }
}
