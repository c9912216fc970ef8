//! The names of the states of an order and its saga.

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every status there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The status as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The status of a word, if there is one.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|status| status.as_str() == word)
            }
        }
    };
}

statuses! {
    /// An order's status.
    OrderStatus {
        /// Accepted; nothing is done yet.
        Pending = "PENDING",
        /// The stock is reserved.
        InventoryReserved = "INVENTORY_RESERVED",
        /// The money is taken.
        PaymentApproved = "PAYMENT_APPROVED",
        /// Stock, money and parcel are all there. A rest.
        Confirmed = "CONFIRMED",
        /// The parcel has left. A rest.
        Shipped = "SHIPPED",
        /// The customer has it. The end.
        Completed = "COMPLETED",
        /// The stock was refused; what was done is being undone.
        InventoryFailed = "INVENTORY_FAILED",
        /// The money was refused; what was done is being undone.
        PaymentFailed = "PAYMENT_FAILED",
        /// The parcel was refused; what was done is being undone.
        ShippingFailed = "SHIPPING_FAILED",
        /// The money is back.
        PaymentReversed = "PAYMENT_REVERSED",
        /// Everything is undone. The end.
        Cancelled = "CANCELLED",
    }
}

impl OrderStatus {
    /// True of a status in which an order may stay for ever.
    pub const fn is_at_rest(self) -> bool {
        matches!(self, Self::Confirmed | Self::Shipped | Self::Completed | Self::Cancelled)
    }
}

statuses! {
    /// A saga's status.
    SagaStatus {
        /// Waits for a service of ours, going forward.
        InProgress = "IN_PROGRESS",
        /// Waits for a service of ours, undoing.
        Compensating = "COMPENSATING",
        /// At rest: what was asked is done.
        Completed = "COMPLETED",
        /// At rest: what was done is undone.
        Compensated = "COMPENSATED",
        /// Stuck: goes on trying, but a person should look.
        Failed = "FAILED",
    }
}
