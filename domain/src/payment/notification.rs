//! A gateway's notification: a reason to ask the gateway, never an answer.

use super::provider::Provider;
use crate::clock::{Timestamp, storable};
use crate::ids::OrderId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// Bytes of a notification's body at the most. Gateways send 1 to 2 kB; more is not read.
pub const NOTIFICATION_BODY_MAX: usize = 64 * 1_024;

/// A notification whose signature is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who sent it.
    pub provider: Provider,
    /// The gateway's name of the payment, as it is signed.
    pub reference: String,
    /// Whose payment it is about. None: not one of ours by its name (another shop at the same account).
    pub order_id: Option<OrderId>,
    /// The gateway's test button sent it: it is answered and forgotten.
    pub is_test: bool,
    /// What it claims of money, in minor units; 0: none. Not signed by every gateway: it only says how patiently the
    /// gateway is asked again.
    pub claimed_minor: i64,
    /// What it says, for people: `settlement/accept 145000.00 IDR`. Nothing personal.
    pub text: String,
}

/// SHA-256 of a notification's body: the same body is the same notification.
pub type EventKey = [u8; 32];

/// A genuine notification as it came: it is stored, and the payment retrieves from its gateway.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedNotification {
    /// The key of its row, if it gets one.
    pub id: Uuid,
    /// What it says.
    pub notification: Notification,
    /// Of the body.
    pub event_key: EventKey,
    /// The body as it came.
    pub body: Arc<[u8]>,
    /// When it came.
    pub received_at: Timestamp,
}

impl ReceivedNotification {
    /// A notification, read from this body at this time. `id` is new.
    pub fn new(id: Uuid, notification: Notification, body: &[u8], received_at: Timestamp) -> Self {
        let event_key = Sha256::digest(body).into();
        let received_at = storable(received_at);
        let (reference, text) = (column(&notification.reference), column(&notification.text));
        let notification = Notification { reference, text, ..notification };
        Self { id, notification, event_key, body: body.into(), received_at }
    }
}

/// Without the body, which names the customer and is not for logs.
impl fmt::Debug for ReceivedNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedNotification")
            .field("id", &self.id)
            .field("notification", &self.notification)
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

/// Characters of a text in a notification's row at the most: room for any reference, and for a line that people read.
const COLUMN_MAX: usize = 500;

/// The same text as any database takes it: no NUL, and not without end.
fn column(text: &str) -> String {
    text.chars().map(|c| if c == '\0' { '\u{FFFD}' } else { c }).take(COLUMN_MAX).collect()
}

/// Why a notification is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationError {
    /// It has not the form that the gateway's documentation promises.
    #[error("the notification is malformed: {0}")]
    Malformed(String),
    /// Nobody who knows the key signed it.
    #[error("the notification's signature is wrong")]
    Forged,
    /// It is signed, and for another account.
    #[error("the notification is for another merchant")]
    OtherMerchant,
}

/// Reads notifications. Pure.
pub trait NotificationReader: Send + Sync + 'static {
    /// Checks the form, then the signature, of a body as it came.
    ///
    /// # Errors
    /// When the form or the signature is wrong, or it is for another account.
    fn read(&self, body: &[u8]) -> Result<Notification, NotificationError>;
}
