//! A gateway's notification: a reason to ask the gateway, never an answer.

use super::provider::Provider;
use crate::ids::OrderId;
use thiserror::Error;

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

/// Why a notification is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
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
