//! Topics of notifications: the six events of an order that customers are told of.

use crate::messages::Kind;

/// A moment that customers care for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// It was accepted.
    Created,
    /// All steps are done.
    Confirmed,
    /// The parcel has left.
    Shipped,
    /// The customer has it.
    Completed,
    /// It ended, and everything is undone.
    Cancelled,
    /// It can be paid.
    PaymentRequired,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Confirmed,
        Self::Shipped,
        Self::Completed,
        Self::Cancelled,
        Self::PaymentRequired,
    ];

    /// The event that it is told by.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Created => Kind::OrderCreated,
            Self::Confirmed => Kind::OrderConfirmed,
            Self::Shipped => Kind::OrderShipped,
            Self::Completed => Kind::OrderCompleted,
            Self::Cancelled => Kind::OrderCancelled,
            Self::PaymentRequired => Kind::OrderPaymentRequired,
        }
    }

    /// The type as it is shown: the event's name.
    pub const fn as_str(self) -> &'static str {
        self.kind().as_str()
    }

    /// The topic of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Its number, 1 to 6: what it is stored as, and what tells a channel's messages
    /// about one order from each other. Never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Created => 1,
            Self::Confirmed => 2,
            Self::Shipped => 3,
            Self::Completed => 4,
            Self::Cancelled => 5,
            Self::PaymentRequired => 6,
        }
    }

    /// The topic of a number.
    pub fn numbered(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| i64::from(topic.number()) == number)
    }
}
