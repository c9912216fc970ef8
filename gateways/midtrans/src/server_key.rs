//! The merchant's secret at Midtrans.

use crate::settings::SettingsError;
use std::fmt;

/// Characters of a key: far above real ones, which have about 40.
const CHARS_MAX: usize = 200;

/// A server key: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey(String);

impl ServerKey {
    /// Reads a key.
    ///
    /// # Errors
    /// When it is empty, longer than 200 characters, or contains a character that cannot be in a key: a blank, a `:`
    /// (which would end the user name of the authorization header) or anything that is not printable ASCII.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if text.is_empty() || text.len() > CHARS_MAX || !text.bytes().all(allowed) {
            return Err(SettingsError::ServerKey);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key itself, for the header and for signatures.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
