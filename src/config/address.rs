//! The addresses of servers, which may hold a password.
//!
//! They are checked strictly before any driver reads them: a driver would take a password with an unescaped
//! `/` for a name of something, and show it. What is wrong is said without quoting any part of the address.

use super::reader::Reader;
use super::secret::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use sqlx::postgres::PgConnectOptions;

/// The kinds of address that a server may have.
pub struct Kind {
    schemes: &'static [&'static str],
    /// Names of parameters that may follow the `?`.
    parameters: &'static [&'static str],
    /// How one is written.
    accepted: &'static str,
    /// Whether the driver can read the whole.
    is_read: fn(&str) -> bool,
}

/// Of PostgreSQL.
pub const DATABASE: Kind = Kind {
    schemes: &["postgres", "postgresql"],
    parameters: &[
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "statement-cache-capacity",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "application_name",
        "options",
    ],
    accepted: "expected a PostgreSQL URL such as postgres://user:password@host:5432/database",
    is_read: |text| text.parse::<PgConnectOptions>().is_ok(),
};

pub const BROKER: Kind = Kind {
    schemes: &["amqp", "amqps"],
    parameters: &["frame_max", "channel_max", "heartbeat", "connection_timeout", "auth_mechanism"],
    accepted: "expected one RabbitMQ URL such as amqp://user:password@host:5672/vhost (write the \
               vhost / as %2f)",
    is_read: |_| true,
};

pub(super) const MAIL: Kind = Kind {
    schemes: &["smtp", "smtps"],
    parameters: &["tls"],
    accepted: "expected an SMTP URL such as smtps://user:password@host:465 or \
               smtp://user:password@host:587?tls=required",
    is_read: |text| lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(text).is_ok(),
};

/// An address that is set. One that is malformed is noted, and given all the same: it counts as set.
pub(super) fn read(
    reader: &mut Reader,
    field: &str,
    address: &Option<Secret>,
    kind: &Kind,
) -> Option<Secret> {
    let address = reader.secret(field, address)?;
    if !address.is_blank()
        && let Err(fault) = kind.check(address.expose())
    {
        let accepted = kind.accepted;
        reader.refuse(field, None, format!("{fault}; {accepted} (its value is not shown)"));
    }
    Some(address)
}

const SEVERAL: &str = "the URL contains several hosts, or a `,` in its host";
const ESCAPED: &str = "the part after the host is malformed; in the user name and password, write \
     `/` as %2F, `?` as %3F, `#` as %23, `@` as %40, `:` as %3A and `%` as %25";

impl Kind {
    /// How an address of this kind is written.
    pub fn accepted(&self) -> &'static str {
        self.accepted
    }

    /// Whether an address is well formed, or what is wrong with it. No part of it is quoted.
    pub fn check(&self, text: &str) -> Result<(), &'static str> {
        let text = text.trim();
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("the URL contains whitespace");
        }
        let url = Url::parse(text).map_err(|_| "the value is not a URL")?;
        if !self.schemes.contains(&url.scheme()) || url.cannot_be_a_base() {
            return Err("the URL has an unknown scheme");
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the URL has no host")?;
        if text.matches("://").count() > 1 || host.contains(',') {
            return Err(SEVERAL);
        }
        // A password with an unescaped `/`, `?` or `#` is cut there, and its `@` stands behind the host.
        let cut = url.fragment().is_some() || url.query().is_some_and(|query| query.contains('@'));
        if cut || url.path().contains(['@', ',']) || !is_one_name(url.path()) {
            return Err(ESCAPED);
        }
        if !is_host(host) || decoded(url.username()).contains([':', '@']) {
            return Err(ESCAPED);
        }
        let known = |name: &str| self.parameters.contains(&name) || name.starts_with("options[");
        if url.query_pairs().any(|(name, _)| !known(&name)) {
            return Err("the URL has an unknown parameter");
        }
        if (self.is_read)(text) { Ok(()) } else { Err("a part of the URL is malformed") }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A path of one name at the most. `//` is the vhost `/`, as some write it.
fn is_one_name(path: &str) -> bool {
    let name = path.strip_prefix('/').unwrap_or(path);
    path == "//" || !name.trim_end_matches('/').contains('/')
}

/// A name, an IP address, or the directory of a socket.
fn is_host(host: &str) -> bool {
    let of_name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let host = decoded(host);
    host.starts_with('/') && !host.contains(['@', ':']) || host.chars().all(of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_write_are_taken() {
        for (kind, text) in [
            (&DATABASE, "postgres://user:password@host:5432/database"),
            (&DATABASE, "postgresql://user:p%40ss%2Fw%3A@10.0.0.1/db?sslmode=require"),
            (&DATABASE, "postgres://user@%2Fvar%2Frun%2Fpostgresql/db"),
            (&DATABASE, "postgres://user:pw@[::1]:5432/db?options[search_path]=x"),
            (&DATABASE, "postgres://host"),
            (&BROKER, "amqp://user:password@host:5672/%2f"),
            (&BROKER, "amqps://user:p@ss@rabbit.example.com/shop?heartbeat=5"),
            (&BROKER, "amqp://guest:guest@localhost:5672//"),
            (&BROKER, "amqp://localhost"),
            (&MAIL, "smtp://localhost:2525"),
            (&MAIL, "smtps://user:password@mail.example.com:465"),
            (&MAIL, "smtp://user:password@mail.example.com:587?tls=required"),
        ] {
            assert_eq!(kind.check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn addresses_whose_password_might_be_taken_for_something_else_are_refused() {
        for (kind, scheme) in [(&DATABASE, "postgres"), (&BROKER, "amqp"), (&MAIL, "smtp")] {
            for rest in [
                "u:s3cret@h1/a,{}://u:s3cret@h2/b",
                "u:s3cret@h1:1,h2:2/a",
                "u:s3cret@h1,h2/a",
                "u:12/s3cret@host/db",
                "u:12?s3cret@host/db",
                "u:12#s3cret@host/db",
                "u%3As3cret@host/db",
                "u%3As3cret%40host/db",
                "u:s3cret@host/a/b",
                "u:s3cret@host/db?unknown=s3cret",
                "u:s3cret@ho st/db",
                "u:s3cret@",
                "",
            ] {
                let text = format!("{scheme}://{}", rest.replace("{}", scheme));
                let fault = kind.check(&text).expect_err(&text);
                assert!(!fault.contains("s3cret"), "{text}: {fault}");
            }
            for text in ["s3cret", "http://u:s3cret@host/db", "u:s3cret@host"] {
                assert!(kind.check(text).is_err(), "{text}");
            }
        }
        assert!(DATABASE.check("postgres://host/db?sslmode=s3cret").is_err());
    }
}
