//! The HTTP client: one call, and what came of it. It knows Midtrans' manners, and no operation.
//!
//! Keys, bodies and the addresses of pages are never logged.

use crate::error;
use crate::fields::Fields;
use crate::settings::{MidtransSettings, ServerKeys};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ordermill_domain::payment::{GatewayError, GatewayKey};
use rustls::crypto::aws_lc_rs;
use serde_json::Value;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

/// How long a connection may take: a server that is there answers in some 100 ms.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection may be kept without a request: shorter than servers keep it, so that none is sent on one that
/// is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer: a hundred times what an answer has.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Midtrans keeps the outcome of a request under this header for five minutes: it helps against a quick repeat.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is sent and what is expected.
const JSON: &str = "application/json";

/// Why the gateway cannot be used at all.
#[derive(Debug, Error)]
#[error("the HTTP client of Midtrans cannot be set up: {0}")]
pub struct ClientError(String);

/// A call to Midtrans.
pub(crate) struct Call {
    /// What it is for, for logs.
    pub operation: &'static str,
    /// The payment that it is about, for logs.
    pub key: GatewayKey,
    /// Where.
    pub url: Url,
    /// What is posted. None: GET.
    pub body: Option<Value>,
    /// One value for a capture or a refund.
    pub idempotency: Option<Uuid>,
}

/// An answer that can be read.
pub(crate) struct Answer {
    /// What HTTP says.
    pub http: StatusCode,
    /// What Midtrans says: the body's `status_code`, or that of HTTP when the body has none.
    pub code: u16,
    /// Midtrans' words for it.
    pub text: String,
    /// The body.
    pub body: Fields,
    retry_after: Option<Duration>,
}

impl Answer {
    /// The error that the code stands for where it has no other meaning.
    pub fn error(&self) -> GatewayError {
        error::of_code(self.code, &self.text, self.retry_after)
    }
}

/// The HTTP client: no redirects, no proxy.
pub(crate) struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    keys: ServerKeys,
    timeout: Duration,
}

impl Client {
    /// A client with the keys and the timeout of these settings.
    pub fn new(settings: &MidtransSettings) -> Result<Self, ClientError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        // The roots are built in, so that no image needs files of certificates.
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(aws_lc_rs::default_provider())
            .map_err(|error| ClientError(error.to_string()))?
            // Which scheme is right was checked with the settings.
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = Http::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { http, keys: settings.keys.clone(), timeout: settings.timeout })
    }

    /// Makes a call, once.
    pub async fn call(&self, call: Call) -> Result<Answer, GatewayError> {
        let (operation, key, start) = (call.operation, call.key, Instant::now());
        let result = self.answer(call).await;
        let ms = start.elapsed().as_millis();
        match &result {
            Ok(answer) => tracing::debug!(
                provider = "midtrans", operation, %key, ms,
                http = answer.http.as_u16(), code = answer.code, text = answer.text,
                "Answer of the gateway"
            ),
            Err(error) => tracing::info!(
                provider = "midtrans", operation, %key, ms, %error, "No answer of the gateway"
            ),
        }
        result
    }

    async fn answer(&self, call: Call) -> Result<Answer, GatewayError> {
        let request = self.request(&call)?;
        let exchange = async {
            let response = self.http.request(request).await;
            let response =
                response.map_err(|error| error::transport(&error, !error.is_connect()))?;
            let (http, retry_after) = (response.status(), retry_after(&response));
            answer(http, retry_after, &read(response).await?)
        };
        let late = |_| GatewayError::Unknown(format!("no answer within {:?}", self.timeout));
        timeout(self.timeout, exchange).await.map_err(late)?
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, GatewayError> {
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(call.url.as_str())
            .header(AUTHORIZATION, self.keys.get().current.authorization())
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, JSON)
            .header(USER_AGENT, concat!("ordermill/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = call.idempotency {
            request = request.header(IDEMPOTENCY_KEY, key.to_string());
        }
        let request = request.body(Full::new(Bytes::from(body)));
        request.map_err(|error| GatewayError::Unreachable(error.to_string()))
    }
}

/// Reads an answer: what HTTP says counts only where the body does not say it, or HTTP says that it is broken.
fn answer(
    http: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<Answer, GatewayError> {
    let of_http = |text: &str| error::of_code(http.as_u16(), text, retry_after);
    if http.is_server_error() || http == StatusCode::TOO_MANY_REQUESTS {
        return Err(of_http("no answer of the application"));
    }
    if http == StatusCode::REQUEST_TIMEOUT || http.is_redirection() {
        return Err(GatewayError::Unknown(format!("HTTP {}", http.as_u16())));
    }
    let Some(body) = Fields::parse(body) else {
        return Err(match http {
            StatusCode::UNAUTHORIZED => of_http("HTTP 401"),
            _ => GatewayError::Unknown(format!(
                "HTTP {} with a body that is not a JSON object",
                http.as_u16()
            )),
        });
    };
    let is_midtrans = body.code().is_some() || body.get("error_messages").is_some();
    if http.is_client_error() && !is_midtrans && http != StatusCode::UNAUTHORIZED {
        // Of a proxy, perhaps: it says nothing of the payment.
        return Err(GatewayError::Unknown(format!("HTTP {} in an unknown form", http.as_u16())));
    }
    let code = body.code().unwrap_or(http.as_u16());
    let answer = Answer { http, code, text: body.message(), body, retry_after };
    let in_process =
        http == StatusCode::ACCEPTED && answer.body.text("transaction_status").is_none();
    match code {
        _ if in_process => Err(error::busy(retry_after)),
        401 | 429 => Err(answer.error()),
        410 if matches!(answer.error(), GatewayError::Misconfigured(_)) => Err(answer.error()),
        _ => Ok(answer),
    }
}

async fn read(response: Response<Incoming>) -> Result<Bytes, GatewayError> {
    match Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(GatewayError::Unknown(format!("a body of over {BODY_BYTES_MAX} bytes")))
        }
        Err(error) => Err(error::transport(&*error, true)),
    }
}

/// In seconds: Midtrans names no dates.
fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(http: u16, body: &str) -> Result<u16, GatewayError> {
        let http = StatusCode::from_u16(http).unwrap();
        answer(http, None, body.as_bytes()).map(|answer| answer.code)
    }

    #[test]
    fn the_body_says_what_it_is() {
        assert_eq!(outcome(200, r#"{"status_code":"407"}"#), Ok(407));
        assert_eq!(outcome(200, r#"{"status_code":412}"#), Ok(412));
        assert_eq!(outcome(404, r#"{"status_code":"404"}"#), Ok(404));
        assert_eq!(outcome(400, r#"{"error_messages":["x"]}"#), Ok(400));
        assert_eq!(outcome(200, r#"{"status_code":"soon"}"#), Ok(200));
        for http in [400, 403, 404] {
            let of_a_proxy = outcome(http, r#"{"error":"not found"}"#);
            assert!(matches!(of_a_proxy, Err(GatewayError::Unknown(_))), "{http}");
        }
    }

    #[test]
    fn garbage_is_no_answer() {
        for body in ["", "<html>", r#"{"status_code":"200""#, "[]", "null", "\"ok\"", "\u{0}"] {
            for http in [200, 201, 404, 400] {
                let outcome = outcome(http, body);
                assert!(matches!(outcome, Err(GatewayError::Unknown(_))), "{http} {body}");
            }
        }
        let nested = "[".repeat(100_000);
        assert!(matches!(outcome(200, &nested), Err(GatewayError::Unknown(_))));
        for http in [301, 302, 307, 408, 500, 502, 503, 504] {
            let outcome = outcome(http, r#"{"status_code":"200"}"#);
            assert!(matches!(outcome, Err(GatewayError::Unknown(_))), "{http}");
        }
    }

    #[test]
    fn keys_and_haste_are_told_apart() {
        let misconfigured =
            |http, body| matches!(outcome(http, body), Err(GatewayError::Misconfigured(_)));
        assert!(misconfigured(401, "<html>") && misconfigured(200, r#"{"status_code":"401"}"#));
        let body = r#"{"status_code":"410","status_message":"Merchant account is deactivated"}"#;
        assert!(misconfigured(200, body));
        assert_eq!(
            outcome(200, r#"{"status_code":"410","status_message":"user blocked"}"#),
            Ok(410)
        );
        for (http, body) in [(202, "{}"), (429, "<html>"), (200, r#"{"status_code":"429"}"#)] {
            let outcome = outcome(http, body);
            assert!(matches!(outcome, Err(GatewayError::Busy { .. })), "{http} {body}");
        }
    }
}
