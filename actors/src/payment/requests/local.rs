//! Requests where the payment service runs: they go to the payments' actors.

use super::{
    NotificationReaders, NotificationRefused, NotificationTaken, PATIENCE, PaymentRequests,
    RequestError, as_text,
};
use crate::payment::entity::Payments;
use crate::payment::reads::PaymentReads;
use crate::ports::ReadError;
use crate::runtime::journal::{CommitOutcome, JournalHandle};
use crate::runtime::ticket::{Ticket, TicketOutcome};
use async_trait::async_trait;
use ordermill_domain::clock::World;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    NotificationOutcome, PaymentChange, PaymentInput, PaymentReply, PaymentRequest, PaymentService,
    Provider, ReceivedNotification, Refund, RequestRefused,
};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Asks the payments of this process.
pub struct LocalPaymentRequests {
    /// The payments.
    pub payments: Payments,
    /// Their rows.
    pub reads: Arc<dyn PaymentReads>,
    /// Stores notifications of no payment.
    pub journal: JournalHandle<PaymentService>,
    /// The gateways that notifications are taken of.
    pub readers: NotificationReaders,
    /// Time and ids.
    pub world: World,
}

/// Nobody decided it within the time. What it was is in the log.
struct Undecided;

impl LocalPaymentRequests {
    /// Whose payment is to be told. None: nobody's.
    async fn known(&self, order_id: Option<OrderId>) -> Result<Option<OrderId>, Undecided> {
        let Some(order_id) = order_id else { return Ok(None) };
        let row = self.reads.payment(order_id).await.map_err(unreadable)?;
        Ok(row.map(|row| row.order_id))
    }

    /// Has a payment decide, and waits until that is committed.
    async fn ask(&self, order_id: OrderId, input: PaymentInput) -> Result<PaymentReply, Undecided> {
        let (ticket, decided) = Ticket::channel();
        self.payments.ask(&order_id, input, ticket);
        let cause = match timeout(PATIENCE, decided).await {
            Ok(Ok(TicketOutcome::Done(reply))) => return Ok(reply),
            Ok(Ok(TicketOutcome::Retry(cause) | TicketOutcome::Dead(cause))) => cause,
            Ok(Ok(TicketOutcome::Abandoned) | Err(_)) => "its actor stopped".to_owned(),
            Err(_) => format!("not decided within {PATIENCE:?}"),
        };
        tracing::warn!(service = "payment", %order_id, %cause, "a request to a payment failed");
        Err(Undecided)
    }

    /// Stores a notification that belongs to no known payment.
    async fn store_unmatched(
        &self,
        received: ReceivedNotification,
    ) -> Result<NotificationTaken, Undecided> {
        let (provider, reference) =
            (received.notification.provider, received.notification.reference.clone());
        let (sender, committed) = oneshot::channel();
        self.journal.submit(PaymentChange::unmatched(Arc::new(received)), move |outcome| {
            // Whoever sent it may have gone away: it is stored all the same.
            let _ = sender.send(outcome);
        });
        match timeout(PATIENCE, committed).await {
            Ok(Ok(CommitOutcome::Done(outcome))) => {
                if outcome == Some(NotificationOutcome::Stored) {
                    tracing::warn!(service = "payment", %provider, %reference, "a notification is of no known payment");
                }
                Ok(NotificationTaken::Unmatched)
            }
            outcome => {
                tracing::warn!(service = "payment", %provider, %reference, ?outcome, "storing a notification failed");
                Err(Undecided)
            }
        }
    }

    async fn take(&self, received: ReceivedNotification) -> Result<NotificationTaken, Undecided> {
        let Some(order_id) = self.known(received.notification.order_id).await? else {
            return self.store_unmatched(received).await;
        };
        let reply = self.ask(order_id, PaymentInput::Notified(Arc::new(received))).await?;
        Ok(match reply {
            PaymentReply::Notification(NotificationOutcome::Repeated) => {
                NotificationTaken::Repeated
            }
            PaymentReply::Notification(NotificationOutcome::OverLimit) => {
                NotificationTaken::OverLimit
            }
            PaymentReply::Notification(NotificationOutcome::Stored)
            | PaymentReply::Taken
            | PaymentReply::Refund(_)
            | PaymentReply::Refused(_) => NotificationTaken::Stored,
        })
    }
}

fn unreadable(error: ReadError) -> Undecided {
    tracing::warn!(service = "payment", %error, "reading a payment failed");
    Undecided
}

#[async_trait]
impl PaymentRequests for LocalPaymentRequests {
    async fn notification(
        &self,
        provider: Provider,
        body: &[u8],
    ) -> Result<NotificationTaken, NotificationRefused> {
        let reader =
            self.readers.get(&provider).ok_or(NotificationRefused::NotConfigured(provider))?;
        let notification = reader.read(as_text(body)?.as_bytes())?;
        if notification.is_test {
            return Ok(NotificationTaken::Test);
        }
        let (id, now) = (self.world.new_id(), self.world.now());
        let received = ReceivedNotification::new(id, notification, body, now);
        self.take(received).await.map_err(|Undecided| NotificationRefused::Unavailable)
    }

    async fn request(
        &self,
        order_id: OrderId,
        request: PaymentRequest,
    ) -> Result<Option<Refund>, RequestError> {
        let unavailable = |Undecided| RequestError::Unavailable;
        // An order without a payment gets no actor: anybody can ask for any id.
        self.known(Some(order_id)).await.map_err(unavailable)?.ok_or(RequestRefused::NotFound)?;
        let reply = self.ask(order_id, PaymentInput::Requested(request)).await;
        match reply.map_err(unavailable)? {
            PaymentReply::Taken | PaymentReply::Notification(_) => Ok(None),
            PaymentReply::Refund(refund) => Ok(Some(*refund)),
            PaymentReply::Refused(refused) => Err(refused.into()),
        }
    }

    async fn refunds(&self, order_id: OrderId) -> Result<Vec<Refund>, RequestError> {
        let row = self.reads.payment(order_id).await.map_err(unreadable);
        let row = row.map_err(|Undecided| RequestError::Unavailable)?;
        Ok(row.map(|row| row.refunds().to_vec()).unwrap_or_default())
    }
}
