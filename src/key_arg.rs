//! The API key that a command sends to a server.

use clap::Args;
use ordermill_client::{ApiKey, Client, Options};

/// The API key that a command sends.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyArg {
    /// API key for the server. Better set ORDERMILL_API_KEY: other users of the machine can read
    /// command lines
    #[arg(long = "key", env = "ORDERMILL_API_KEY", hide_env_values = true, value_name = "KEY")]
    #[arg(global = true)]
    api_key: Option<ApiKey>,
}

impl KeyArg {
    /// The key that the environment names.
    pub fn from_env() -> Self {
        let text = std::env::var("ORDERMILL_API_KEY").ok();
        Self { api_key: text.and_then(|text| text.parse().ok()) }
    }

    /// The header field with the key, as HTTP/1.1 has it; empty without a key.
    pub fn field(&self) -> String {
        let value = self.api_key.as_ref().and_then(|key| key.authorization().to_str().ok());
        value.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default()
    }

    /// A client of the server at this URL.
    pub fn client(&self, url: &str) -> Client {
        Client::new(url, self.options())
    }

    /// Options of a client with the key.
    pub fn options(&self) -> Options {
        Options { api_key: self.api_key.clone(), ..Options::default() }
    }
}
