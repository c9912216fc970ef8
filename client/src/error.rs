//! Errors of a request.

use reqwest::StatusCode;

/// Why a request has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server responds at the URL.
    #[error("no server responds at {url} (--url)")]
    Unreachable {
        /// The URL of the server.
        url: String,
        /// The cause, without the URL.
        source: reqwest::Error,
    },
    /// The server has the request and does not respond in time.
    #[error("{url} has not responded to {request} in time")]
    TimedOut {
        /// The URL of the server.
        url: String,
        /// The method and the path.
        request: String,
    },
    /// The response ended too early.
    #[error("the response is incomplete")]
    Incomplete(#[source] reqwest::Error),
    /// The server refused the request.
    #[error("{detail}")]
    Refused {
        /// The status of the response.
        status: StatusCode,
        /// The `detail` of the problem (RFC 9457).
        detail: String,
    },
    /// The server refused the request without a problem document.
    #[error("{url} is not an Ordermill server: it responded with {status}")]
    NotOrdermill {
        /// The URL of the server.
        url: String,
        /// The status of the response.
        status: StatusCode,
    },
    /// The response is not in the expected format.
    #[error("{url} is not an Ordermill server of this version")]
    Unreadable {
        /// The URL of the server.
        url: String,
        /// The difference.
        source: serde_json::Error,
    },
}

impl Error {
    /// True when the same request may succeed later: no answer, or a busy server.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Incomplete(_) => true,
            Self::Refused { status, .. } => *status == StatusCode::SERVICE_UNAVAILABLE,
            Self::NotOrdermill { .. } | Self::Unreadable { .. } => false,
        }
    }
}
