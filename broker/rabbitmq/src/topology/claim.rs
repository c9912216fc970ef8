//! Claiming a vhost: for each service whose database a process works on, an exchange that carries the
//! database's identity.
//!
//! RabbitMQ compares the alternate exchange of a declaration with that of the exchange that is there, and
//! refuses another one. So the first installation in a vhost claims it, and a process of another
//! installation is refused before it takes or publishes anything. Nothing is ever published to these
//! exchanges; other arguments than this one RabbitMQ does not compare.

use super::declare::declare_exchange;
use super::{ExchangePlan, text};
use crate::address::Address;
use crate::error::BrokerOpenError;
use lapin::Channel;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::ExchangeKind;
use uuid::Uuid;

/// The identity of a service's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The service.
    pub service: ServiceName,
    /// Its database's identity.
    pub identity: Uuid,
}

impl Claim {
    fn exchange(&self) -> ExchangePlan {
        ExchangePlan {
            name: format!("ordermill.installation.{}", self.service),
            kind: ExchangeKind::Fanout,
            arguments: vec![("alternate-exchange", text(self.identity.to_string()))],
        }
    }
}

/// Claims the vhost for the address's services. They are claimed in one order by everybody: of two
/// installations that start at the same time, the one that loses the first service gets no other.
pub async fn claim(channel: &Channel, address: &Address) -> Result<(), BrokerOpenError> {
    for &service in ServiceName::ALL {
        for claim in address.claims.iter().filter(|claim| claim.service == service) {
            let exchange = claim.exchange();
            declare_exchange(channel, &exchange).await.map_err(|error| {
                match BrokerOpenError::declaring(address, exchange.declared(), &error) {
                    BrokerOpenError::Mismatch { place, .. } => BrokerOpenError::Claimed {
                        place,
                        vhost: address.uri.vhost.clone(),
                        service,
                        exchange: exchange.name,
                    },
                    other => other,
                }
            })?;
        }
    }
    Ok(())
}
