//! What may go wrong with a broker, in sentences for whoever must mend it.

use crate::address::Address;
use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use ordermill_domain::ids::ServiceName;
use std::time::Duration;
use thiserror::Error;

/// Why something asked of the broker was not done.
#[derive(Clone, Debug, Error)]
pub enum LinkError {
    /// The broker, or the network, said so.
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
    /// Nobody said anything.
    #[error("no response within {0:?}")]
    Silent(Duration),
    /// The connection ended meanwhile, or there is none.
    #[error("the connection is closed")]
    Gone,
    /// The broker has ended a consumer: its queue was deleted, or moves to another node.
    #[error("the broker has cancelled the consumer")]
    Cancelled,
    /// A consumer gets nothing, though messages wait and it has room.
    #[error("the consumer receives no messages although messages are ready")]
    Stalled,
    /// Deliveries were dropped and must go back to their queue.
    #[error("deliveries were dropped without an acknowledgement; the broker requeues them")]
    Dropped,
    /// Whoever is handed what comes has panicked over it.
    #[error("the message handler panicked: {0}")]
    Panicked(String),
}

impl LinkError {
    /// Something that should be there is not: a queue or an exchange.
    pub fn is_missing(&self) -> bool {
        self.soft() == Some(AMQPSoftError::NOTFOUND)
    }

    fn soft(&self) -> Option<AMQPSoftError> {
        let Self::Amqp(error) = self else { return None };
        let ErrorKind::ProtocolError(error) = error.kind() else { return None };
        match error.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft.clone()),
            AMQPErrorKind::Hard(_) => None,
        }
    }

    fn hard(&self) -> Option<AMQPHardError> {
        let Self::Amqp(error) = self else { return None };
        let ErrorKind::ProtocolError(error) = error.kind() else { return None };
        match error.kind() {
            AMQPErrorKind::Hard(hard) => Some(hard.clone()),
            AMQPErrorKind::Soft(_) => None,
        }
    }
}

/// Why a broker could not be opened.
#[derive(Clone, Debug, Error)]
pub enum BrokerOpenError {
    /// The URL cannot be read.
    #[error(
        "the RabbitMQ URL is malformed: {0}; expected amqp://user:password@host:5672/vhost (write \
         the vhost / as %2f)"
    )]
    Malformed(String),
    /// Nobody answers there.
    #[error("RabbitMQ at {place} does not respond: {cause}")]
    Unreachable {
        /// Where.
        place: String,
        /// Why.
        cause: String,
    },
    /// It knows no such user, or another password.
    #[error("RabbitMQ at {place} rejects user `{user}` or its password")]
    Refused {
        /// Where.
        place: String,
        /// The user.
        user: String,
    },
    /// It has no such vhost, or not for this user.
    #[error("user `{user}` has no access to {place}: {cause}")]
    NoVhost {
        /// Where.
        place: String,
        /// The user.
        user: String,
        /// The broker's words.
        cause: String,
    },
    /// A queue or exchange of our name is there already, and made otherwise.
    #[error(
        "the {thing} at {place} exists with other properties: expected {expected}, but \
         `{argument}` differs ({cause}); delete it if its content is not needed, or use another \
         vhost"
    )]
    Mismatch {
        /// Where.
        place: String,
        /// The queue or exchange, and its name.
        thing: String,
        /// What it should be.
        expected: String,
        /// What differs.
        argument: String,
        /// The broker's words.
        cause: String,
    },
    /// An older version than is supported.
    #[error("RabbitMQ at {place} has version {version}; 3.10 or later is required")]
    TooOld {
        /// Where.
        place: String,
        /// Its version.
        version: String,
    },
    /// Another installation, with another database, uses this vhost.
    #[error(
        "{place} belongs to another installation, which uses another database for the {service} \
         service; use a separate vhost for each installation. If this database replaces the other \
         one permanently, stop all processes and run: rabbitmqadmin --vhost='{vhost}' delete \
         exchange name={exchange}"
    )]
    Claimed {
        /// Where.
        place: String,
        /// The vhost.
        vhost: String,
        /// The service.
        service: ServiceName,
        /// The exchange that says so.
        exchange: String,
    },
    /// The user may not declare or use what Ordermill needs.
    #[error(
        "user `{user}` lacks permission for the {thing} at {place}: {cause}; grant it configure, \
         write and read permission on the whole vhost"
    )]
    Forbidden {
        /// Where.
        place: String,
        /// The user.
        user: String,
        /// The queue or exchange, and its name.
        thing: String,
        /// The broker's words.
        cause: String,
    },
    /// It answers, but not as it should.
    #[error("RabbitMQ at {place} is not usable: {cause}")]
    Unusable {
        /// Where.
        place: String,
        /// What happened.
        cause: String,
    },
}

impl BrokerOpenError {
    /// True when another try later may succeed by itself: the broker is not up yet.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unusable { .. } => true,
            Self::Malformed(_)
            | Self::Refused { .. }
            | Self::NoVhost { .. }
            | Self::Mismatch { .. }
            | Self::TooOld { .. }
            | Self::Claimed { .. }
            | Self::Forbidden { .. } => false,
        }
    }

    /// What a failed connect means.
    pub(crate) fn connecting(address: &Address, error: &LinkError) -> Self {
        let (place, user) = (address.to_string(), address.user().to_owned());
        let cause = error.to_string();
        match error.hard() {
            // A vhost that is still being recovered after a crash is closed to everybody for a while.
            Some(AMQPHardError::NOTALLOWED) if !cause.contains("is down") => {
                Self::NoVhost { place, user, cause }
            }
            _ if error.soft() == Some(AMQPSoftError::ACCESSREFUSED) => {
                Self::Refused { place, user }
            }
            _ => Self::Unreachable { place, cause },
        }
    }

    /// What a failed declaration means.
    pub(crate) fn declaring(address: &Address, declared: Declared, error: &LinkError) -> Self {
        let Declared { thing, expected } = declared;
        let (place, cause) = (address.to_string(), error.to_string());
        match error.soft() {
            Some(AMQPSoftError::PRECONDITIONFAILED) => {
                // "… inequivalent arg 'x-queue-type' for queue '…' …"
                let argument = cause.split("inequivalent arg '").nth(1);
                let argument = argument.and_then(|rest| rest.split('\'').next());
                let argument = argument.unwrap_or("declaration").to_owned();
                Self::Mismatch { place, thing, expected, argument, cause }
            }
            Some(AMQPSoftError::ACCESSREFUSED) => {
                Self::Forbidden { place, user: address.user().to_owned(), thing, cause }
            }
            _ => Self::Unusable { place, cause: format!("the {thing}: {cause}") },
        }
    }
}

/// What was declared.
pub(crate) struct Declared {
    /// A queue or exchange, and its name.
    pub thing: String,
    /// How, in words.
    pub expected: String,
}
