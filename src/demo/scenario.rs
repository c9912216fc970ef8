//! What can become of an order, and how many of the demo's orders meet each scenario.

use ordermill_client::Order;
use std::fmt;

/// What an order is placed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scenario {
    /// One product, nothing in its way.
    OneProduct,
    /// Three products at once.
    SeveralProducts,
    /// Placed in the short form: one product and a total.
    ShortForm,
    /// Placed twice with one idempotency key: one order.
    PlacedTwice,
    /// Wants one of the last units, as do five times as many customers as there are units.
    LastUnits,
    /// Two products, of which one is short: none is taken.
    OneOfTwoShort,
    /// A product that nobody ever stocked.
    UnknownProduct,
    /// The card is declined.
    PaymentRefused,
    /// The gateway charges, but its answer never comes.
    TimeoutCharged,
    /// The gateway neither charges nor answers, until it is asked again.
    TimeoutUncharged,
    /// The customer pays at the gateway's page.
    PaidAtPage,
    /// The customer leaves the gateway's page, which ends.
    NeverPaid,
    /// The customer cancels, and pays at the gateway's page after that: the money goes back.
    PaidTooLate,
    /// No carrier goes there.
    Undeliverable,
    /// The customer thinks better of it at once.
    CancelledAtOnce,
    /// The customer thinks better of it once all is ready.
    CancelledLater,
    /// The parcel leaves.
    Dispatched,
    /// The parcel leaves and arrives.
    Delivered,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Confirmed,
    Shipped,
    Completed,
    /// With the step that failed, or `customer`.
    Cancelled(String),
    /// Anywhere else: not placed, not at rest, unheard of.
    Lost(String),
}

impl Ending {
    /// How an order ended, or where it is.
    pub(crate) fn of(order: &Order) -> Self {
        let at_rest = order.is_at_rest();
        match (order.status.as_str(), &order.failure) {
            ("CONFIRMED", _) if at_rest => Self::Confirmed,
            ("SHIPPED", _) if at_rest => Self::Shipped,
            ("COMPLETED", _) if at_rest => Self::Completed,
            ("CANCELLED", Some(failure)) if at_rest => Self::Cancelled(failure.step.clone()),
            (status, _) => Self::Lost(format!("{status}, saga {}", order.saga.status)),
        }
    }

    /// Whether the customer has, or will get, what was ordered.
    pub(crate) fn is_fulfilled(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Shipped | Self::Completed)
    }

    /// Whether the goods have left the stock.
    pub(crate) fn has_left(&self) -> bool {
        matches!(self, Self::Shipped | Self::Completed)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed => f.write_str("CONFIRMED"),
            Self::Shipped => f.write_str("SHIPPED"),
            Self::Completed => f.write_str("COMPLETED"),
            Self::Cancelled(step) => write!(f, "CANCELLED ({step})"),
            Self::Lost(where_) => f.write_str(where_),
        }
    }
}

impl Scenario {
    /// Every scenario, and how many of a hundred orders meet it.
    pub(crate) const SHARES: [(Self, usize); 18] = [
        (Self::OneProduct, 14),
        (Self::SeveralProducts, 10),
        (Self::ShortForm, 5),
        (Self::PlacedTwice, 4),
        (Self::LastUnits, 20),
        (Self::OneOfTwoShort, 4),
        (Self::UnknownProduct, 3),
        (Self::PaymentRefused, 6),
        (Self::TimeoutCharged, 3),
        (Self::TimeoutUncharged, 3),
        (Self::PaidAtPage, 2),
        (Self::NeverPaid, 2),
        (Self::PaidTooLate, 2),
        (Self::Undeliverable, 5),
        (Self::CancelledAtOnce, 4),
        (Self::CancelledLater, 3),
        (Self::Dispatched, 5),
        (Self::Delivered, 5),
    ];

    /// As the report calls it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::OneProduct => "one product",
            Self::SeveralProducts => "three products",
            Self::ShortForm => "placed in the short form",
            Self::PlacedTwice => "placed twice with one Idempotency-Key",
            Self::LastUnits => "competes for the last units",
            Self::OneOfTwoShort => "one of two products out of stock",
            Self::UnknownProduct => "unknown product",
            Self::PaymentRefused => "payment declined",
            Self::TimeoutCharged => "gateway timeout, charged",
            Self::TimeoutUncharged => "gateway timeout, not charged",
            Self::PaidAtPage => "paid at the gateway's page",
            Self::NeverPaid => "not paid at the gateway's page",
            Self::PaidTooLate => "paid after cancelling",
            Self::Undeliverable => "undeliverable address",
            Self::CancelledAtOnce => "cancelled immediately",
            Self::CancelledLater => "cancelled after confirmation",
            Self::Dispatched => "dispatched",
            Self::Delivered => "dispatched and delivered",
        }
    }

    /// How `orders` orders of this scenario should end, in numbers.
    pub(crate) fn expected(self, orders: usize) -> Vec<(Ending, usize)> {
        let cancelled = |step: &str| Ending::Cancelled(step.to_owned());
        let ending = match self {
            Self::LastUnits => {
                let units = last_units(orders);
                let refused = (cancelled("inventory"), orders - units);
                return [(Ending::Confirmed, units), refused]
                    .into_iter()
                    .filter(|(_, count)| *count > 0)
                    .collect();
            }
            Self::OneOfTwoShort | Self::UnknownProduct => cancelled("inventory"),
            Self::PaymentRefused | Self::NeverPaid => cancelled("payment"),
            Self::Undeliverable => cancelled("shipping"),
            Self::CancelledAtOnce | Self::CancelledLater | Self::PaidTooLate => {
                cancelled("customer")
            }
            Self::Dispatched => Ending::Shipped,
            Self::Delivered => Ending::Completed,
            Self::OneProduct
            | Self::SeveralProducts
            | Self::ShortForm
            | Self::PlacedTwice
            | Self::TimeoutCharged
            | Self::TimeoutUncharged
            | Self::PaidAtPage => Ending::Confirmed,
        };
        vec![(ending, orders)]
    }
}

/// How many units there are for so many customers who want one: a fifth, so that most leave without.
pub(crate) fn last_units(customers: usize) -> usize {
    customers.div_ceil(5)
}

/// What the simulated gateway of a shop can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GatewayPages {
    /// No page is served.
    None,
    /// Pages are served. They end long after the demo.
    Long,
    /// Pages are served, and end while the demo waits.
    Short,
}

impl GatewayPages {
    /// The scenario, or the nearest one that the shop can play.
    fn playable(self, scenario: Scenario) -> Scenario {
        match (self, scenario) {
            (Self::None, Scenario::PaidAtPage | Scenario::NeverPaid | Scenario::PaidTooLate) => {
                Scenario::OneProduct
            }
            (Self::Long, Scenario::NeverPaid) => Scenario::PaidAtPage,
            _ => scenario,
        }
    }
}

/// The scenarios of so many orders, well mixed and the same every time at shops of this kind.
pub(crate) fn assign(orders: usize, pages: GatewayPages) -> Vec<Scenario> {
    // Every scenario is met once before any is met often.
    let more = orders.saturating_sub(Scenario::SHARES.len());
    let mut counts = Scenario::SHARES.map(|(scenario, share)| (scenario, more * share / 100));
    counts.iter_mut().take(orders).for_each(|(_, count)| *count += 1);
    counts[0].1 += orders - counts.iter().map(|(_, count)| count).sum::<usize>();
    let mut places: Vec<(usize, Scenario)> = Vec::with_capacity(orders);
    for (scenario, count) in counts {
        // Evenly spread over the whole, whatever its share.
        places.extend((0..count).map(|nth| ((2 * nth + 1) * orders / (2 * count), scenario)));
    }
    places.sort_unstable();
    places.into_iter().map(|(_, scenario)| pages.playable(scenario)).collect()
}
