//! The payment service, as its journal and its store see it: rows that are decided on in memory and
//! checked by their versions when they are written, and the notifications that payments are told of.

use super::attention::Attention;
use super::notification::ReceivedNotification;
use super::requests::Refund;
use super::state::{End, Payment, State};
use super::stored_notifications::{
    GatewayReference, KnownNotifications, NotificationLedger, NotificationOutcome,
    NotificationWrites,
};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ServiceName};
use crate::messages::Message;
use crate::planted::{Bug, planted};
use crate::service::{BatchDecision, Outcome, Service, Versions};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct PaymentService;

/// A change of a payment, or a notification of no payment.
#[derive(Clone, Debug)]
pub struct PaymentChange {
    /// Whose payment. None: [`Self::unmatched`].
    pub order_id: Option<OrderId>,
    /// The version that it was decided on; 0: there was no row.
    pub expected: u64,
    /// The payment as it is now. None: as it was.
    pub payment: Option<Arc<Payment>>,
    /// The messages to the saga and to whoever follows payments.
    pub messages: Vec<Arc<Message>>,
    /// The notification that the payment is told of. Stored in the same transaction.
    pub notification: Option<Arc<ReceivedNotification>>,
}

impl PaymentChange {
    /// A change that writes nothing: it is only checked against the payment's version.
    pub fn nothing(order_id: OrderId, expected: u64) -> Self {
        let order_id = Some(order_id);
        Self { order_id, expected, payment: None, messages: Vec::new(), notification: None }
    }

    /// A notification that belongs to no known payment: stored, and nobody is told.
    pub fn unmatched(notification: Arc<ReceivedNotification>) -> Self {
        let notification = Some(notification);
        Self { order_id: None, expected: 0, payment: None, messages: Vec::new(), notification }
    }
}

/// A payment's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Whose payment; the key.
    pub order_id: OrderId,
    /// Counts the row's changes, from 1.
    pub version: u64,
    /// The payment.
    pub payment: Arc<Payment>,
}

impl PaymentRow {
    /// When somebody must see to it. None: it is at rest.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.payment.due_at
    }

    /// What a person should know about it. None: nothing.
    pub fn attention(&self) -> Option<Attention> {
        self.payment.attention
    }

    /// Its refunds, oldest first.
    pub fn refunds(&self) -> &[Refund] {
        &self.payment.refunds
    }
}

/// A row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentWrite {
    /// The version that the row must still have; 0: there must be none.
    pub expected: u64,
    /// The row.
    pub row: PaymentRow,
}

/// The rows that a batch reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentKeys {
    /// Payments, in their order, each once.
    pub orders: Vec<OrderId>,
    /// Notifications by the gateway's names, in their order, each once. Most batches have none.
    pub references: Vec<GatewayReference>,
}

/// The rows that were read.
#[derive(Clone, Debug, Default)]
pub struct PaymentRows {
    /// The versions of the payments that there are.
    pub versions: HashMap<OrderId, u64>,
    /// The notifications that there are.
    pub notifications: KnownNotifications,
}

/// The rows that a batch writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentWrites {
    /// Payments, in the order of their keys.
    pub payments: Vec<PaymentWrite>,
    /// Notifications.
    pub notifications: NotificationWrites,
}

impl Service for PaymentService {
    const NAME: ServiceName = ServiceName::Payment;
    type Change = PaymentChange;
    type Keys = PaymentKeys;
    type Rows = PaymentRows;
    type Writes = PaymentWrites;
    /// What became of the change's notification. None: it had none.
    type Answer = Option<NotificationOutcome>;

    fn keys(changes: &[PaymentChange]) -> PaymentKeys {
        let orders: BTreeSet<_> = changes.iter().filter_map(|change| change.order_id).collect();
        let received = changes.iter().filter_map(|change| change.notification.as_ref());
        let references: BTreeSet<_> = received
            .map(|received| {
                let notification = &received.notification;
                (notification.provider, notification.reference.clone())
            })
            .collect();
        PaymentKeys {
            orders: orders.into_iter().collect(),
            references: references.into_iter().collect(),
        }
    }

    fn decide_batch(
        &self,
        rows: PaymentRows,
        changes: &[PaymentChange],
        _at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let mut versions = Versions::new(rows.versions);
        let mut ledger = NotificationLedger::new(rows.notifications);
        let mut writes = BTreeMap::<OrderId, PaymentWrite>::new();
        let mut outcomes = Vec::with_capacity(changes.len());
        let mut messages = Vec::new();
        for change in changes {
            let version = change.expected + u64::from(change.payment.is_some());
            if let Some(order_id) = &change.order_id
                && !versions.advance(order_id, change.expected, version)
            {
                outcomes.push(Outcome::Refused);
                continue;
            }
            // An order without a payment is as good as none.
            let paid = change.order_id.filter(|_| version > 0);
            let received = change.notification.as_ref();
            outcomes.push(Outcome::Done(received.map(|received| ledger.take(received, paid))));
            messages.extend_from_slice(&change.messages);
            if let (Some(order_id), Some(payment)) = (change.order_id, &change.payment) {
                if planted(Bug::NoPaymentTombstone)
                    && payment.state == (State::Ended { end: End::Tombstoned })
                {
                    continue;
                }
                let row = PaymentRow { order_id, version, payment: payment.clone() };
                writes
                    .entry(order_id)
                    .and_modify(|write| write.row = row.clone())
                    .or_insert(PaymentWrite { expected: change.expected, row });
            }
        }
        let payments = writes.into_values().collect();
        let writes = PaymentWrites { payments, notifications: ledger.into_writes() };
        BatchDecision { writes, outcomes, messages }
    }
}
