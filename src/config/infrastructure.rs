//! What stands behind the services: embedded parts, or PostgreSQL and RabbitMQ; and which of the services
//! run in this process.

use super::address::{self, BROKER, DATABASE};
use super::args::ServeArgs;
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
    /// The services' own.
    pub own: Vec<(ServiceName, Secret)>,
    /// The simulated gateway's, when it is not payment's.
    pub gateway: Option<Secret>,
}

impl Servers {
    /// The database of a service; None: nobody has said.
    pub fn database(&self, service: ServiceName) -> Option<&Secret> {
        let own = self.own.iter().find(|(name, _)| *name == service).map(|(_, url)| url);
        own.or(self.shared.as_ref())
    }

    /// The database of the simulated gateway.
    pub fn gateway(&self) -> Option<&Secret> {
        self.gateway.as_ref().or_else(|| self.database(ServiceName::Payment))
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
        let own: Vec<_> = [
            (ServiceName::Order, "order_database_url", &args.order_database_url),
            (ServiceName::Inventory, "inventory_database_url", &args.inventory_database_url),
            (ServiceName::Payment, "payment_database_url", &args.payment_database_url),
            (ServiceName::Shipping, "shipping_database_url", &args.shipping_database_url),
            (
                ServiceName::Notification,
                "notification_database_url",
                &args.notification_database_url,
            ),
            (ServiceName::Audit, "audit_database_url", &args.audit_database_url),
        ]
        .into_iter()
        .filter_map(|(name, field, url)| Some((name, database(field, url)?)))
        .collect();
        let shared = database("database_url", &args.database_url);
        let gateway = database("gateway_database_url", &args.gateway_database_url);
        let a_database = shared.is_some() || gateway.is_some() || !own.is_empty();
        let Some(amqp) = address::read(read, "amqp_url", &args.amqp_url, &BROKER) else {
            if a_database {
                read.refuse("amqp_url", None, AMQP_MISSING);
            } else if services.len() < ServiceName::ALL.len() {
                read.refuse("services", Some(&args.services), SUBSET);
            }
            return Self::Embedded;
        };
        let servers = Servers { amqp, shared, own, gateway };
        if services.iter().any(|service| servers.database(*service).is_none()) {
            read.refuse("database_url", None, DATABASE_MISSING);
        }
        Self::Servers(Box::new(servers))
    }
}

/// The services that run in this process.
pub(super) fn services(read: &mut Reader, args: &ServeArgs) -> BTreeSet<ServiceName> {
    let accepted = "expected some of order, inventory, payment, shipping, notification, audit, \
                    separated by commas";
    let all = || ServiceName::ALL.iter().copied();
    let named = |word: &str| all().find(|name| name.as_str() == word.trim());
    let chosen = read.parsed("services", &args.services, accepted, |text| {
        text.split(',').filter(|word| !word.trim().is_empty()).map(named).collect::<Option<_>>()
    });
    if BTreeSet::is_empty(&chosen) { all().collect() } else { chosen }
}
