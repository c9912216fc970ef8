//! Topics of notifications: what customers are told of an order, each once.

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
    /// The payment waits.
    PaymentPending,
    /// It is paid.
    PaymentSucceeded,
    /// It was not paid in time.
    PaymentExpired,
    /// It is not paid, or not any more.
    PaymentFailed,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Confirmed,
        Self::Shipped,
        Self::Completed,
        Self::Cancelled,
        Self::PaymentRequired,
        Self::PaymentPending,
        Self::PaymentSucceeded,
        Self::PaymentExpired,
        Self::PaymentFailed,
    ];

    /// The topic of a payment's status in the words of `payment.status.updated`.
    pub(super) fn of_payment(status: &str) -> Option<Self> {
        match status {
            "PENDING" => Some(Self::PaymentPending),
            "SUCCESS" => Some(Self::PaymentSucceeded),
            "EXPIRED" => Some(Self::PaymentExpired),
            "FAILED" => Some(Self::PaymentFailed),
            _ => None,
        }
    }

    /// The type as it is shown: the name of the event that it is told by, and the payment's status, where there are
    /// several of one event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => Kind::OrderCreated.as_str(),
            Self::Confirmed => Kind::OrderConfirmed.as_str(),
            Self::Shipped => Kind::OrderShipped.as_str(),
            Self::Completed => Kind::OrderCompleted.as_str(),
            Self::Cancelled => Kind::OrderCancelled.as_str(),
            Self::PaymentRequired => Kind::OrderPaymentRequired.as_str(),
            Self::PaymentPending => "payment.status.updated.pending",
            Self::PaymentSucceeded => "payment.status.updated.success",
            Self::PaymentExpired => "payment.status.updated.expired",
            Self::PaymentFailed => "payment.status.updated.failed",
        }
    }

    /// The topic of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Its number, 1 to 10: what it is stored as, and what tells a channel's messages
    /// about one order from each other. Never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Created => 1,
            Self::Confirmed => 2,
            Self::Shipped => 3,
            Self::Completed => 4,
            Self::Cancelled => 5,
            Self::PaymentRequired => 6,
            Self::PaymentPending => 7,
            Self::PaymentSucceeded => 8,
            Self::PaymentExpired => 9,
            Self::PaymentFailed => 10,
        }
    }

    /// The topic of a number.
    pub fn numbered(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| i64::from(topic.number()) == number)
    }
}
