//! Which host a request is meant for, and which names this server answers to.
//!
//! A web page can have its own name resolve to this server's address (DNS rebinding), and is then of the same
//! origin for the browser. It cannot choose the name that the browser sends: so a name must be known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Characters of a name and of one of its labels (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// A host, and a port where one is given: `Host`, `:authority`, the end of an `Origin`.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port; none is the scheme's own.
    pub port: Option<u16>,
}

/// A host as a URL names it.
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// An IP address.
    Address(IpAddr),
    /// A name as it is written, but for a dot at its end.
    Name(&'a str),
}

impl<'a> Authority<'a> {
    /// Reads `uri-host [":" port]` (RFC 9110 section 7.2); none when it is malformed. User information is.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), port)
            }
            None => {
                let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Host::parse(host)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// True for the same host and port.
    pub fn is(&self, other: &Authority<'_>, default_port: u16) -> bool {
        let is_host = match (self.host, other.host) {
            (Host::Address(one), Host::Address(other)) => one == other,
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        is_host && self.port.unwrap_or(default_port) == other.port.unwrap_or(default_port)
    }
}

impl<'a> Host<'a> {
    /// An IPv4 address, or labels of letters, digits, `-` and `_`.
    fn parse(text: &'a str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(is_taken)
        };
        (name.len() <= NAME_MAX && name.split('.').all(is_label)).then_some(Self::Name(name))
    }
}

/// The names that this server answers to, beside `localhost` and what ends in `.localhost`: browsers resolve
/// those to the machine they run on (RFC 6761 section 6.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Reads names separated by commas; none when one is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names = names.map(|name| match Host::parse(name) {
            Some(Host::Name(name)) => Some(name.to_owned()),
            _ => None,
        });
        names.collect::<Option<_>>().map(Self)
    }

    /// True for every IP address, for the local names, and for the names that were set.
    pub fn answer_to(&self, host: Host<'_>) -> bool {
        let Host::Name(name) = host else { return true };
        let top = name.rsplit('.').next().unwrap_or(name);
        top.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_a_port() {
        for (text, port) in [
            ("localhost", None),
            ("localhost:", None),
            ("localhost:8080", Some(8080)),
            ("LocalHost.:80", Some(80)),
            ("127.0.0.1:65535", Some(65535)),
            ("[::1]", None),
            ("[::ffff:127.0.0.1]:8080", Some(8080)),
            ("order_1.shop-a.example", None),
        ] {
            let parsed = Authority::parse(text).unwrap_or_else(|| panic!("{text:?} is malformed"));
            assert_eq!(parsed.port, port, "{text}");
        }
        let (long, labels) = ("a".repeat(64), ["a"; 128].join("."));
        for malformed in [
            "",
            ":80",
            ".",
            "a..b",
            ".a",
            "::1",
            "[::1",
            "[::1]80",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "[127.0.0.1]",
            "user@localhost",
            "user:pass@localhost",
            "localhost:http",
            "localhost:-1",
            "localhost:+1",
            "localhost:65536",
            "localhost:80:80",
            "local host",
            "a,b",
            "a/b",
            "ö.example",
            "a%2eb",
            "http://localhost",
            &long,
            &labels,
        ] {
            assert!(Authority::parse(malformed).is_none(), "{malformed:?}");
        }
    }

    #[test]
    fn addresses_and_local_names_pass_and_names_must_be_known() {
        let hosts = Hosts::parse("order, Shop.example. ,").unwrap();
        let passes = |text: &str| hosts.answer_to(Authority::parse(text).unwrap().host);
        for text in [
            "127.0.0.1",
            "10.1.2.3:80",
            "[::1]:8080",
            "localhost",
            "LOCALHOST.",
            "a.localhost:80",
            "order",
            "ORDER:8080",
            "shop.example",
            "shop.example.",
        ] {
            assert!(passes(text), "{text}");
        }
        for text in [
            "evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "a.order",
            "shop.example.evil",
            "127.0.0.1.evil",
            "127.1",
            "2130706433",
            "0x7f000001",
        ] {
            assert!(!passes(text), "{text}");
        }
        for refused in
            ["10.0.0.1", "shop.example:8080", "http://shop.example", "*.example", "ö.example"]
        {
            assert_eq!(Hosts::parse(refused), None, "{refused}");
        }
        assert_eq!(Hosts::parse(""), Some(Hosts::default()));
    }

    #[test]
    fn an_origin_is_the_same_host_and_port() {
        let same = |one, other, port| {
            let [one, other] = [one, other].map(|text| Authority::parse(text).unwrap());
            one.is(&other, port)
        };
        assert!(same("localhost:80", "LOCALHOST.", 80));
        assert!(same("shop.example", "shop.example:443", 443));
        assert!(same("[::1]:1", "[0:0::1]:1", 80));
        assert!(!same("localhost:8080", "localhost", 80));
        assert!(!same("localhost:8080", "127.0.0.1:8080", 80));
        assert!(!same("localhost:8080", "localhost:8081", 80));
    }
}
