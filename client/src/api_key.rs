//! The API key of a client, which shows nowhere.

use reqwest::header::HeaderValue;
use std::fmt;
use std::str::FromStr;

/// An API key, as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(HeaderValue);

impl FromStr for ApiKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header =
            HeaderValue::try_from(format!("Bearer {text}")).ok().filter(|_| is_key).ok_or(
                "expected an API key such as omk_live_…, as printed by `ordermill keys create`",
            )?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

impl ApiKey {
    /// The value of `Authorization`.
    pub fn authorization(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
