//! /webhooks: what payment gateways tell us.
//!
//! A notification decides nothing: the payment service checks its signature, stores it, and asks the gateway. The
//! status tells the gateway whether to send it again.
//!
//! | case | answer | Midtrans sends it again |
//! |---|---|---|
//! | taken, repeated, unmatched, test | 200 | no |
//! | malformed | 400 | twice |
//! | forged, or for another merchant | 403 | 5 times: time to correct a wrong key |
//! | gateway not configured | 404 | twice |
//! | too large | 413 | 5 times |
//! | payment service unavailable, too slow, or too many at once | 503 | 4 times in 2 hours |
//!
//! Never 500, which Midtrans repeats once only.

mod listener;
mod report;
#[cfg(test)]
mod tests;

pub use listener::WebhookListener;

use crate::api::problem::{self, Problem};
use crate::api::{limits, payload};
use crate::metrics::{HttpMetrics, ServerMetrics};
use ordermill_actors::payment::{NotificationRefused, NotificationTaken, PaymentRequests};
use ordermill_domain::payment::{NotificationError, Provider};
use poem::error::ReadBodyError;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{IntoResponse, Request, Response};
use report::{Outcome, Received, Report};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The addresses, each with its gateway. The second is the one that an earlier system gave to Midtrans.
pub const PATHS: [(&str, Provider); 2] =
    [("/webhooks/midtrans", Provider::Midtrans), ("/api/v1/payments/webhook", Provider::Midtrans)];

/// Notifications that are handled at a time: some hundred are settled by one commit, and each takes milliseconds.
const OPEN_MAX: usize = 200;
/// A body that is not complete by then is given up: a gateway's has some kilobytes.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// A notification that is not stored by then is answered with 503: Midtrans waits 15 s at the most.
const STORED_WITHIN: Duration = Duration::from_secs(5);
/// When the gateway should send it again.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Answers payment gateways. The same for every listener that serves them.
pub struct Webhooks {
    /// Empty while the process starts.
    requests: OnceLock<Arc<dyn PaymentRequests>>,
    open: Semaphore,
    metrics: HttpMetrics,
    report: Report,
}

impl Webhooks {
    /// Webhooks that are not open yet, counted there.
    pub fn new(metrics: &ServerMetrics) -> Self {
        let (requests, open) = (OnceLock::new(), Semaphore::new(OPEN_MAX));
        let report = Report::new(metrics.parts.gateway.clone());
        Self { requests, open, metrics: metrics.http.clone(), report }
    }

    /// Notifications are put to the payment service from now on; before, they are answered with 503.
    pub fn open(&self, requests: Arc<dyn PaymentRequests>) {
        // It is opened once: a process has one payment service at the most.
        let _ = self.requests.set(requests);
    }

    /// The gateway whose notifications come to a path.
    pub fn provider(path: &str) -> Option<Provider> {
        PATHS.into_iter().find(|(known, _)| *known == path).map(|(_, provider)| provider)
    }

    /// Answers a request for one of the paths.
    pub async fn answer(&self, provider: Provider, request: Request) -> Response {
        let (started, method) = (Instant::now(), request.method().clone());
        let path = request.uri().path().to_owned();
        let response = self.checked(provider, request).await;
        self.metrics.answered(&method, &path, response.status(), started.elapsed(), None);
        response
    }

    async fn checked(&self, provider: Provider, request: Request) -> Response {
        if *request.method() != Method::POST {
            let detail = "method not allowed for this path; expected POST";
            let mut response = problem::alone(StatusCode::METHOD_NOT_ALLOWED, detail);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        if let Some(refusal) = payload::refusal(request.headers()) {
            return refusal;
        }
        if !is_json(&request) {
            let detail = "the body must be JSON, with `Content-Type: application/json`";
            return problem::alone(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
        }
        let mut received = Received::new(provider, &request);
        let Ok(_open) = self.open.try_acquire() else {
            self.report.refused(&received, Outcome::Unavailable, "too many notifications at once");
            return unavailable("too many notifications at once");
        };
        self.read(&mut received, request).await
    }

    async fn read(&self, received: &mut Received, mut request: Request) -> Response {
        let limit = limits::NOTIFICATION_BYTES_MAX;
        let body = request.take_body().into_bytes_limit(limit);
        match timeout(BODY_WITHIN, body).await {
            Ok(Ok(body)) => {
                received.is(&body);
                self.take(received, &body).await
            }
            Ok(Err(ReadBodyError::PayloadTooLarge)) => {
                self.report.refused(received, Outcome::Malformed, "the body is too large");
                problem::too_large(limit)
            }
            // There is nobody left to answer, or somebody who sends a byte a second.
            Ok(Err(_)) | Err(_) => problem::interrupted(),
        }
    }

    async fn take(&self, received: &Received, body: &[u8]) -> Response {
        let Some(requests) = self.requests.get() else {
            self.report.refused(received, Outcome::Unavailable, "the process is starting");
            return unavailable("the process is starting");
        };
        let stored = timeout(STORED_WITHIN, requests.notification(received.provider, body)).await;
        match stored.unwrap_or(Err(NotificationRefused::Unavailable)) {
            Ok(taken) => {
                self.report.taken(received, taken);
                ok()
            }
            Err(refused) => self.refuse(received, &refused),
        }
    }

    fn refuse(&self, received: &Received, refused: &NotificationRefused) -> Response {
        let detail = refused.to_string();
        match refused {
            NotificationRefused::NotGenuine(NotificationError::Malformed(_)) => {
                self.report.refused(received, Outcome::Malformed, &detail);
                Problem::bad_request(detail, Vec::new()).into_response()
            }
            NotificationRefused::NotGenuine(
                NotificationError::Forged | NotificationError::OtherMerchant,
            ) => {
                self.report.refused(received, Outcome::Forged, &detail);
                problem::alone(StatusCode::FORBIDDEN, detail)
            }
            NotificationRefused::NotConfigured(_) => Problem::not_found(detail).into_response(),
            NotificationRefused::Unavailable => {
                self.report.refused(received, Outcome::Unavailable, &detail);
                unavailable(&detail)
            }
        }
    }
}

fn is_json(request: &Request) -> bool {
    let media = request.content_type().unwrap_or_default().split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

fn ok() -> Response {
    Response::builder().content_type("application/json").body(r#"{"status":"ok"}"#)
}

fn unavailable(why: &str) -> Response {
    Problem::unavailable(format!("{why}; retry later"), RETRY_AFTER).into_response()
}

impl From<NotificationTaken> for Outcome {
    fn from(taken: NotificationTaken) -> Self {
        match taken {
            // One that is not stored has its payment look all the same.
            NotificationTaken::Stored | NotificationTaken::OverLimit => Self::Taken,
            NotificationTaken::Repeated => Self::Repeated,
            NotificationTaken::Unmatched => Self::Unmatched,
            NotificationTaken::Test => Self::Test,
        }
    }
}
