//! One publish, and what may become of it.

use lapin::BasicProperties;
use ordermill_domain::messages::Body;
use std::borrow::Cow;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The outcome of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmOutcome {
    /// The broker has it, on disk where its queue is.
    Taken,
    /// No queue takes it.
    Returned,
    /// The broker would not have it.
    Refused,
    /// Nobody knows: the confirm did not come, or nobody wants it any more.
    Late,
}

/// What a publish carries.
#[derive(Clone)]
pub enum Content {
    /// A message, or several.
    Body(Body),
    /// Bytes as they came.
    Raw(Arc<Vec<u8>>),
}

impl Content {
    /// As it is written.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Body(Body::One(message)) => Cow::Borrowed(message.json().as_bytes()),
            Self::Body(body) => Cow::Owned(body.to_json().into_bytes()),
            Self::Raw(bytes) => Cow::Borrowed(bytes),
        }
    }
}

/// A publish.
pub struct PendingPublish {
    /// The exchange; empty: straight to the queue that `key` names.
    pub exchange: Cow<'static, str>,
    /// The routing key.
    pub key: Cow<'static, str>,
    /// False: nobody minds when no queue takes it.
    pub mandatory: bool,
    /// Its properties.
    pub properties: BasicProperties,
    /// What it says.
    pub content: Content,
    /// Cancelled: nobody wants it any more, if it is not published yet.
    pub void: Option<CancellationToken>,
    /// Told what became of it. Must not block.
    pub done: Box<dyn FnOnce(ConfirmOutcome) + Send>,
}

impl PendingPublish {
    /// True when nobody wants it any more.
    pub fn is_void(&self) -> bool {
        self.void.as_ref().is_some_and(CancellationToken::is_cancelled)
    }
}
