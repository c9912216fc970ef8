//! Which account and which servers of Midtrans are used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ordermill_domain::ids::OrderId;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use thiserror::Error;
use url::Url;
use uuid::Uuid;

/// How long a whole question may take, until the last byte of its answer.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// Characters of a key: far above real ones, which have about 40.
const KEY_CHARS_MAX: usize = 200;
/// Characters of a prefix: Midtrans takes 50 for an order, and a UUID has 36. One is left over.
const PREFIX_CHARS_MAX: usize = 13;
/// Characters of an order's prefix when none is set.
const PREFIX_DEFAULT: &str = "om-";

/// Why a setting is not taken. A key is never quoted, nor is an address, which may contain a password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Not one of the two environments.
    #[error("`{0}` is not an environment of Midtrans; expected `sandbox` or `production`")]
    Environment(String),
    /// Not a key.
    #[error(
        "the server key is malformed; expected 1 to 200 printable ASCII characters without blanks and `:`"
    )]
    ServerKey,
    /// Not an address of a server.
    #[error("{0}; expected a URL such as https://api.midtrans.com (http to loopback only)")]
    Url(&'static str),
    /// Not a prefix.
    #[error(
        "`{0}` is not a prefix of orders; expected at most 13 of the characters A-Z a-z 0-9 - _ ~ ."
    )]
    OrderPrefix(String),
}

/// The merchant's secret at Midtrans: never printed.
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
        if text.is_empty() || text.len() > KEY_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(SettingsError::ServerKey);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key itself, for signatures.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The header that requests are authorized with: the key is the user, the password is empty.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let text = format!("Basic {}", STANDARD.encode(format!("{}:", self.0)));
        let mut value = HeaderValue::from_str(&text).expect("base64 is printable ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The keys of the account, which may change while payments go on. Clones share them: after [`ServerKeys::replace`] every clone has the new ones.
#[derive(Clone)]
pub struct ServerKeys(Arc<RwLock<Keys>>);

/// The keys at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key that requests are made with.
    pub current: ServerKey,
    /// The key before it: notifications may still be signed with it.
    pub previous: Option<ServerKey>,
}

impl ServerKeys {
    /// These keys, until others replace them.
    pub fn new(current: ServerKey, previous: Option<ServerKey>) -> Self {
        Self(Arc::new(RwLock::new(Keys { current, previous })))
    }

    /// The keys now.
    pub fn get(&self) -> Keys {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the next request and the next notification use these keys. True when they differ from those before.
    pub fn replace(&self, keys: Keys) -> bool {
        let mut shared = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differ = *shared != keys;
        *shared = keys;
        differ
    }
}

impl PartialEq for ServerKeys {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for ServerKeys {}

impl fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// An environment of Midtrans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For trials: no money moves.
    Sandbox,
    /// Real money.
    Production,
}

impl Environment {
    /// The environment of a name.
    ///
    /// # Errors
    /// When it is neither `sandbox` nor `production`.
    pub fn parse(name: &str) -> Result<Self, SettingsError> {
        match name {
            "sandbox" => Ok(Self::Sandbox),
            "production" => Ok(Self::Production),
            _ => Err(SettingsError::Environment(name.chars().take(40).collect())),
        }
    }

    /// Midtrans' own server of the Core API: status, cancel, capture, refund.
    pub fn api_url(self) -> BaseUrl {
        BaseUrl::own(match self {
            Self::Sandbox => "https://api.sandbox.midtrans.com",
            Self::Production => "https://api.midtrans.com",
        })
    }

    /// Midtrans' own server of the Snap API: pages.
    pub fn snap_url(self) -> BaseUrl {
        BaseUrl::own(match self {
            Self::Sandbox => "https://app.sandbox.midtrans.com",
            Self::Production => "https://app.midtrans.com",
        })
    }
}

/// The address of a server: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is not https (nor http to a loopback address), or has more than scheme, host and port.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let url = Url::parse(text).map_err(|_| SettingsError::Url("the value is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SettingsError::Url("a user or a password in the URL is not supported"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(SettingsError::Url("only a host and a port are supported, without a path"));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(SettingsError::Url("http is for loopback addresses only")),
            _ => Err(SettingsError::Url("the URL has an unknown scheme")),
        }
    }

    fn own(text: &str) -> Self {
        Self(Url::parse(text).expect("Midtrans' own addresses are well formed"))
    }

    /// The address of a path, which begins with `/`.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// True for an address at this server: the same scheme, host and port.
    pub(crate) fn serves(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What stands before the order's UUID in the name that Midtrans knows it by: other shops of the same account use
/// another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPrefix(String);

impl OrderPrefix {
    /// Reads a prefix. An empty one is a prefix too.
    ///
    /// # Errors
    /// When it has more than 13 characters or others than letters, digits, `-`, `_`, `~` and `.`.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~' | '.');
        if text.len() > PREFIX_CHARS_MAX || !text.chars().all(allowed) {
            return Err(SettingsError::OrderPrefix(text.chars().take(40).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Midtrans' `order_id` of an order.
    pub fn name(&self, order: OrderId) -> String {
        format!("{}{order}", self.0)
    }

    /// The order that a name is of. None: not one of ours.
    pub fn order(&self, name: &str) -> Option<OrderId> {
        let id = Uuid::try_parse(name.strip_prefix(self.0.as_str())?).ok().map(OrderId)?;
        // A UUID has several spellings; we write one of them.
        (self.name(id) == name).then_some(id)
    }
}

impl Default for OrderPrefix {
    fn default() -> Self {
        Self(PREFIX_DEFAULT.to_owned())
    }
}

/// The settings. Printing them shows no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MidtransSettings {
    /// Sandbox or production: which of Midtrans' own hosts may show the page.
    pub environment: Environment,
    /// The server of the Core API.
    pub api_url: BaseUrl,
    /// The server of the Snap API. Pages may be there, or at the environment's own server.
    pub snap_url: BaseUrl,
    /// The keys of the account. Whoever holds a clone can replace them.
    pub keys: ServerKeys,
    /// The account. Some: an answer or a notification of another account is not taken.
    pub merchant_id: Option<String>,
    /// What stands before the order's UUID in Midtrans' `order_id`.
    pub order_prefix: OrderPrefix,
    /// How long a whole question may take.
    pub timeout: Duration,
}

impl MidtransSettings {
    /// The settings of an environment, with its own servers and all else as it is by default.
    pub fn new(environment: Environment, server_key: ServerKey) -> Self {
        Self {
            environment,
            api_url: environment.api_url(),
            snap_url: environment.snap_url(),
            keys: ServerKeys::new(server_key, None),
            merchant_id: None,
            order_prefix: OrderPrefix::default(),
            timeout: TIMEOUT_DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> MidtransSettings {
        let key = ServerKey::parse("SB-Mid-server-ordermill-test-0001").unwrap();
        MidtransSettings::new(Environment::Sandbox, key)
    }

    #[test]
    fn an_environment_has_its_own_servers() {
        assert_eq!(settings().api_url.to_string(), "https://api.sandbox.midtrans.com");
        assert_eq!(settings().snap_url.to_string(), "https://app.sandbox.midtrans.com");
        let production = Environment::parse("production").unwrap();
        assert_eq!(production.api_url().to_string(), "https://api.midtrans.com");
        assert_eq!(production.snap_url().to_string(), "https://app.midtrans.com");
        assert!(Environment::parse("Production").is_err() && Environment::parse("").is_err());
    }

    #[test]
    fn a_server_is_https_or_loopback() {
        for text in [
            "https://api.midtrans.com",
            "https://proxy.example.com:8443/",
            "http://127.0.0.1:8091",
            "http://127.9.9.9",
            "http://[::1]:8091",
            "http://localhost:8091",
        ] {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "api.midtrans.com",
            "ftp://api.midtrans.com",
            "http://api.midtrans.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://[::ffff:10.0.0.1]",
            "https://key@api.midtrans.com",
            "https://:key@api.midtrans.com",
            "https://api.midtrans.com/v2",
            "https://api.midtrans.com?x",
            "https://api.midtrans.com#x",
        ] {
            let error = BaseUrl::parse(text).expect_err(text);
            assert!(!error.to_string().contains("key@"), "{error}");
        }
    }

    #[test]
    fn an_order_has_one_name_and_a_name_one_order() {
        let order = OrderId(Uuid::parse_str("0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77").unwrap());
        let prefix = OrderPrefix::default();
        assert_eq!(prefix.name(order), "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77");
        assert_eq!(prefix.order(&prefix.name(order)), Some(order));
        for other in [
            "0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77",
            "om-0198c2f47a317c559d023b6f8e1a4c77",
            "om-0198C2F4-7A31-7C55-9D02-3B6F8E1A4C77",
            "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c772",
            "om-",
        ] {
            assert_eq!(prefix.order(other), None, "{other}");
        }
        let longest = OrderPrefix::parse("A-b_c~d.12345").unwrap();
        assert!(longest.name(order).len() <= 50);
        for bad in ["12345678901234", "a b", "ä", "a/b", "a%"] {
            assert!(OrderPrefix::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_the_user_of_basic_authorization() {
        let header = |key| ServerKey::parse(key).unwrap().authorization();
        let own_sample = "Basic U0ItTWlkLXNlcnZlci1hYmMxMjNjZGU0NTY6";
        assert_eq!(header("SB-Mid-server-abc123cde456"), own_sample);
        assert!(header("SB-Mid-server-abc123cde456").is_sensitive());
        let ours = "Basic U0ItTWlkLXNlcnZlci1vcmRlcm1pbGwtdGVzdC0wMDAxOg==";
        assert_eq!(header("SB-Mid-server-ordermill-test-0001"), ours);
    }

    #[test]
    fn a_key_is_never_shown() {
        assert!(!format!("{:?}", settings()).contains("SB-Mid"));
        for bad in ["", "a b", "a:b", "a\n", "ä", &"x".repeat(201)] {
            let error = ServerKey::parse(bad).expect_err(bad);
            assert!(!error.to_string().contains("a:b"));
        }
    }
}
