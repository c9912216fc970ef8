//! What stands behind the services: embedded parts, or PostgreSQL and RabbitMQ; and which of the services
//! run in this process.

use super::address::{self, BROKER, DATABASE};
use super::args::ServeArgs;
use super::database_urls::SETTINGS;
use super::reader::Reader;
use super::secret::Secret;
use ordermill_domain::ids::ServiceName;
use std::collections::BTreeSet;

/// What stands behind the services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Infrastructure {
    /// SQLite files under the data directory, and the in-process broker.
    Embedded,
    /// Servers, which other processes may use as well.
    Servers(Box<Servers>),
}

/// Where the servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// RabbitMQ.
    pub amqp: Secret,
    /// PostgreSQL, for services that name none of their own.
    pub shared: Option<Secret>,
    /// The databases' own, by their names.
    pub own: Vec<(&'static str, Secret)>,
}

impl Servers {
    /// The database of a service; None: nobody has said.
    pub fn database(&self, service: ServiceName) -> Option<&Secret> {
        self.own(service.as_str()).or(self.shared.as_ref())
    }

    /// A database by its name; without a URL of its own it is in that of the service.
    pub fn named(&self, name: &str, service: ServiceName) -> Option<&Secret> {
        self.own(name).or_else(|| self.database(service))
    }

    fn own(&self, name: &str) -> Option<&Secret> {
        self.own.iter().find(|(own, _)| *own == name).map(|(_, url)| url)
    }
}

const AMQP_MISSING: &str =
    "required because a database URL is set; set both PostgreSQL and RabbitMQ, or neither";
const DATABASE_MISSING: &str = "required because AMQP_URL is set; set DATABASE_URL, or the \
     database URL of every service of this process";
const SUBSET: &str = "running a subset of the services requires DATABASE_URL and AMQP_URL";

impl Infrastructure {
    pub(super) fn read(
        read: &mut Reader,
        args: &ServeArgs,
        services: &BTreeSet<ServiceName>,
    ) -> Self {
        let mut database =
            |field: &str, url: &Option<Secret>| address::read(read, field, url, &DATABASE);
        let own = SETTINGS.iter().zip(&args.databases.0);
        let own: Vec<_> = own
            .filter_map(|(setting, url)| Some((setting.database, database(&setting.field, url)?)))
            .collect();
        let shared = database("database_url", &args.database_url);
        let a_database = shared.is_some() || !own.is_empty();
        let Some(amqp) = address::read(read, "amqp_url", &args.amqp_url, &BROKER) else {
            if a_database {
                read.refuse("amqp_url", None, AMQP_MISSING);
            } else if services.len() < ServiceName::ALL.len() {
                read.refuse("services", Some(&args.services), SUBSET);
            }
            return Self::Embedded;
        };
        let servers = Servers { amqp, shared, own };
        if services.iter().any(|service| servers.database(*service).is_none()) {
            read.refuse("database_url", None, DATABASE_MISSING);
        }
        Self::Servers(Box::new(servers))
    }
}

/// The services that run in this process.
pub(super) fn services(read: &mut Reader, args: &ServeArgs) -> BTreeSet<ServiceName> {
    let names: Vec<_> = ServiceName::ALL.iter().map(|name| name.as_str()).collect();
    let accepted = format!("expected some of {}, separated by commas", names.join(", "));
    let all = || ServiceName::ALL.iter().copied();
    let named = |word: &str| all().find(|name| name.as_str() == word.trim());
    let chosen = read.parsed("services", &args.services, accepted, |text| {
        text.split(',').filter(|word| !word.trim().is_empty()).map(named).collect::<Option<_>>()
    });
    if BTreeSet::is_empty(&chosen) { all().collect() } else { chosen }
}
