//! Which notifications are stored: each body once, and not without end for one payment. Parts of a notification are
//! not signed, so that one genuine notification can be varied into any number of others.

use super::notification::{EventKey, ReceivedNotification};
use super::provider::Provider;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Stored notifications under one of a gateway's names at the most: an honest payment has fewer than ten. Processes
/// that write at the same moment may each store up to this many.
pub const NOTIFICATIONS_MAX: usize = 50;

/// The gateway's name of a payment, at that gateway.
pub type GatewayReference = (Provider, String);

/// A notification's row, without the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRow {
    /// The key; in the order in which they came.
    pub id: Uuid,
    /// Who sent it.
    pub provider: Provider,
    /// The gateway's name of the payment.
    pub reference: String,
    /// SHA-256 of the body.
    pub event_key: EventKey,
    /// The order whose payment was told. None: it is of no payment that was known.
    pub order_id: Option<OrderId>,
    /// When it came first.
    pub received_at: Timestamp,
    /// How often it came.
    pub times: u32,
    /// What it says, for people.
    pub text: String,
}

/// A notification's row with the body.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredNotification {
    /// The row.
    pub row: NotificationRow,
    /// The body as it came.
    pub body: Arc<[u8]>,
}

/// Without the body, which names the customer and is not for logs.
impl fmt::Debug for StoredNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredNotification").field("row", &self.row).finish_non_exhaustive()
    }
}

/// A stored notification that came again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedNotification {
    /// Who sent it.
    pub provider: Provider,
    /// The gateway's name of the payment.
    pub reference: String,
    /// SHA-256 of the body.
    pub event_key: EventKey,
    /// How often it came in this batch.
    pub times: u32,
}

/// What the database has under the names that a batch's notifications bear.
pub type KnownNotifications = HashMap<GatewayReference, BTreeSet<EventKey>>;

/// The notifications that a batch writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationWrites {
    /// Rows to insert.
    pub fresh: Vec<StoredNotification>,
    /// Rows to count on; one that is deleted meanwhile is skipped.
    pub repeated: Vec<RepeatedNotification>,
}

/// What became of a genuine notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// It is stored.
    Stored,
    /// The same body had come before: it is counted.
    Repeated,
    /// [`NOTIFICATIONS_MAX`] are stored under its name: it is not.
    OverLimit,
}

/// Decides on the notifications of a batch.
pub(super) struct NotificationLedger {
    known: KnownNotifications,
    fresh: Vec<StoredNotification>,
    repeated: BTreeMap<(GatewayReference, EventKey), u32>,
}

impl NotificationLedger {
    /// Starts from what the database has.
    pub(super) fn new(known: KnownNotifications) -> Self {
        Self { known, fresh: Vec::new(), repeated: BTreeMap::new() }
    }

    /// Decides on a notification; `order_id`: whose payment is told.
    pub(super) fn take(
        &mut self,
        received: &ReceivedNotification,
        order_id: Option<OrderId>,
    ) -> NotificationOutcome {
        let ReceivedNotification { notification, event_key, .. } = received;
        let name = (notification.provider, notification.reference.clone());
        let known = self.known.entry(name.clone()).or_default();
        if known.contains(event_key) {
            self.count(name, *event_key);
            return NotificationOutcome::Repeated;
        }
        if known.len() >= NOTIFICATIONS_MAX {
            return NotificationOutcome::OverLimit;
        }
        known.insert(*event_key);
        let (provider, reference) = name;
        let row = NotificationRow {
            id: received.id,
            provider,
            reference,
            event_key: *event_key,
            order_id,
            received_at: received.received_at,
            times: 1,
            text: notification.text.clone(),
        };
        self.fresh.push(StoredNotification { row, body: received.body.clone() });
        NotificationOutcome::Stored
    }

    /// Counts a notification that came again, in the row that this batch inserts or in the one that is there.
    fn count(&mut self, name: GatewayReference, event_key: EventKey) {
        let fresh = self.fresh.iter_mut().find(|stored| {
            let row = &stored.row;
            row.event_key == event_key && (row.provider, &row.reference) == (name.0, &name.1)
        });
        match fresh {
            Some(stored) => stored.row.times += 1,
            None => *self.repeated.entry((name, event_key)).or_default() += 1,
        }
    }

    /// What is written of them.
    pub(super) fn into_writes(self) -> NotificationWrites {
        let repeated =
            self.repeated.into_iter().map(|(((provider, reference), event_key), times)| {
                RepeatedNotification { provider, reference, event_key, times }
            });
        NotificationWrites { fresh: self.fresh, repeated: repeated.collect() }
    }
}
