//! Requests to one server: a limited number at once, repeated while it is busy.

use crate::{ApiKey, Error};
use reqwest::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// The pause before a request is repeated if the busy server names none.
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// Timeouts and limits of a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API key that is sent with every request. None: the server is open.
    pub api_key: Option<ApiKey>,
    /// Maximum time until a response is complete.
    pub request_timeout: Duration,
    /// Maximum time until a connection is open: a running server takes milliseconds.
    pub connect_timeout: Duration,
    /// Maximum number of concurrent requests: enough to keep a server busy, few enough for its socket backlog.
    pub requests_max: usize,
    /// How long a request is repeated while the server responds with 503. Zero: not at all.
    pub busy_timeout: Duration,
    /// Maximum pause before a repetition, whatever `Retry-After` says.
    pub busy_pause_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_key: None,
            // Redriving a whole queue takes a commit for every hundred messages.
            request_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(5),
            requests_max: 64,
            busy_timeout: Duration::ZERO,
            busy_pause_max: Duration::from_secs(30),
        }
    }
}

/// A client of one server. Clones share its connections and its limit of concurrent requests.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    options: Options,
    in_flight: Arc<Semaphore>,
}

/// A response with any status.
#[derive(Debug)]
pub struct RawResponse {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub text: String,
    retry_after: Option<Duration>,
}

/// A problem document (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Client {
    /// A client of the server at this URL.
    pub fn new(url: &str, options: Options) -> Self {
        // The given server is meant, not a proxy named by the environment.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(options.connect_timeout);
        let key = options.api_key.iter().map(|key| (AUTHORIZATION, key.authorization().clone()));
        let http = http.default_headers(key.collect::<HeaderMap>());
        Self {
            http: http.build().expect("a client without TLS can be built"),
            url: url.trim_end_matches('/').to_owned(),
            in_flight: Arc::new(Semaphore::new(options.requests_max)),
            options,
        }
    }

    /// The URL of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of an entry with this name, which may contain any character.
    pub(crate) fn path_of(&self, parent: &str, name: &str) -> String {
        let mut url = Url::parse(&self.url).expect("the URL of the server is checked");
        url.set_path(parent);
        url.path_segments_mut().expect("an http URL has a path").push(name);
        url.path().to_owned()
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.timeout(self.options.request_timeout)
    }

    /// Reads what is at a path.
    ///
    /// # Errors
    /// When there is no answer, or not the expected one.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        self.read(self.request(Method::GET, path).query(query)).await
    }

    /// Sends a request and reads its result.
    ///
    /// # Errors
    /// When there is no answer, or not the expected one.
    pub async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let text = self.text(request).await?;
        serde_json::from_str(&text)
            .map_err(|source| Error::Unreadable { url: self.url.clone(), source })
    }

    /// Sends a request and returns the text of its result.
    pub(crate) async fn text(&self, request: RequestBuilder) -> Result<String, Error> {
        let RawResponse { status, text, .. } = self.ask(request).await?;
        if status.is_success() { Ok(text) } else { Err(self.refused(status, &text)) }
    }

    /// Sends a request, and repeats it only where it had no effect: while the server is too busy for it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&self, request: RequestBuilder) -> Result<RawResponse, Error> {
        let until = Instant::now() + self.options.busy_timeout;
        while Instant::now() < until
            && let Some(request) = request.try_clone()
        {
            let answer = self.once(request).await?;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return Ok(answer);
            }
            let pause = answer.retry_after.unwrap_or(BUSY_PAUSE);
            sleep(pause.min(self.options.busy_pause_max)).await;
        }
        self.once(request).await
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn once(&self, request: RequestBuilder) -> Result<RawResponse, Error> {
        let _permit = self.in_flight.acquire().await;
        let response = self.send(request).await?;
        let (status, header) = (response.status(), response.headers().get(RETRY_AFTER));
        let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.text().await.map_err(Error::Incomplete)?;
        Ok(RawResponse { status, text, retry_after: seconds.map(Duration::from_secs) })
    }

    /// Sends a request whose response is read while it arrives.
    pub(crate) async fn download(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = self.send(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(self.refused(status, &response.text().await.map_err(Error::Incomplete)?))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let (http, request) = request.build_split();
        let request = request.map_err(|source| self.unreachable(source))?;
        let asked = format!("{} {}", request.method(), request.url().path());
        http.execute(request).await.map_err(|error| match error.is_timeout() {
            true if !error.is_connect() => {
                Error::TimedOut { url: self.url.clone(), request: asked }
            }
            _ => self.unreachable(error),
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        Error::Unreachable { url: self.url.clone(), source: error.without_url() }
    }

    fn refused(&self, status: StatusCode, text: &str) -> Error {
        match serde_json::from_str(text) {
            Ok(Problem { detail }) => Error::Refused { status, detail },
            Err(_) => Error::NotOrdermill { url: self.url.clone(), status },
        }
    }
}
