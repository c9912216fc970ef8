//! Where the broker is: a URL, and how it may be spoken of without its password.

use crate::error::BrokerOpenError;
use crate::topology::Claim;
use lapin::uri::AMQPUri;
use std::fmt;
use std::sync::Arc;

/// How often each side of a connection says that it is alive, in seconds. One that says nothing for twice as
/// long is dead: a frozen broker is noticed within 20 s.
const HEARTBEAT_S: u16 = 10;

/// The broker's address.
#[derive(Clone)]
pub struct Address {
    pub uri: AMQPUri,
    /// What connections are called on the management page.
    pub name: String,
    /// What is claimed in its vhost before anything else.
    pub claims: Arc<[Claim]>,
}

impl Address {
    /// Reads a URL. The error quotes no part of it: any may hold the password, or a piece of it.
    pub fn parse(url: &str, name: &str) -> Result<Self, BrokerOpenError> {
        let malformed = || BrokerOpenError::Malformed("the URL is malformed".to_owned());
        let mut uri: AMQPUri = url.trim().parse().map_err(|_| malformed())?;
        // The parser takes the rest of a list of URLs, or of a password with a `/` in it, for the vhost.
        let user = &uri.authority.userinfo.username;
        let misread = uri.vhost.contains(['@', ',']) || uri.authority.host.contains(['@', ',']);
        if misread || user.contains([':', '@']) {
            return Err(malformed());
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self { uri, name: name.to_owned(), claims: Arc::default() })
    }

    /// The user that it names.
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }
}

/// As people may see it: host, port and vhost.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { authority, vhost, .. } = &self.uri;
        write!(f, "{}:{} (vhost `{vhost}`)", authority.host, authority.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "amqp://user:s3cret@host:port/",
            "http://user:s3cret@host/",
            "user:s3cret@host",
            "amqp:s3cret",
            "amqp://user:s3cret@host/%ff",
            "amqp://user:s3cret@host/?heartbeat=s3cret",
            "amqp://user:s3cret@host/?auth_mechanism=s3cret",
            "amqp://user:s3cret@one,amqp://user:s3cret@two/shop",
            "amqp://user:s3cret@one:5672/shop,amqp://user:s3cret@two:5672/shop",
            "amqp://user:12/s3cret@host/shop",
            "amqp://user%3As3cret@host/shop",
        ] {
            let Err(error) = Address::parse(url, "test") else { panic!("{url} was taken") };
            assert!(!error.to_string().contains("s3cret"), "{url}: {error}");
            assert!(!error.may_pass());
        }
        let address = Address::parse("amqp://user:s3cret@host:1234/shop", "test").unwrap();
        assert_eq!(address.to_string(), "host:1234 (vhost `shop`)");
    }

    #[test]
    fn a_url_may_set_its_own_heartbeat() {
        let heartbeat =
            |url: &str| Address::parse(url, "test").unwrap().uri.query.heartbeat.unwrap();
        assert_eq!(heartbeat("amqp://host"), HEARTBEAT_S);
        assert_eq!(heartbeat("amqp://host?heartbeat=3"), 3);
    }
}
