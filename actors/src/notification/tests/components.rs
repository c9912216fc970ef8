//! The handle on a journal, and messages on their way to a provider.

use super::*;
use crate::metrics::ChannelMetrics;
use crate::ports::{ChannelError, Messenger};
use crate::runtime::consumer::Handler;
use crate::runtime::feed::FeedHandler;
use crate::runtime::feed::tests::journal;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use crate::testing::{CommitFault, MemoryStore};
use async_trait::async_trait;
use ordermill_domain::expected::Expected;
use ordermill_domain::messages::ChannelMessage;
use ordermill_domain::messages::{InventoryMessage, NotificationMessage};
use ordermill_domain::notification::{NotificationId, Scope, Topic};

#[tokio::test(start_paused = true)]
async fn a_request_is_repeated_until_its_outcome_is_known() {
    let store = MemoryStore::<NotificationMemory>::default();
    let journal = journal(NotificationService::default(), store.clone()).await;
    let (ticket, settled) = Ticket::channel();
    FeedHandler::new(journal.clone()).handle(event(1, created(1)), ticket);
    assert!(matches!(settled.await, Ok(TicketOutcome::Done(()))));

    let notifications = Notifications::new(journal);
    let id = NotificationId { order_id: order(1), topic: Topic::Created };
    store.fail([CommitFault::Unavailable, CommitFault::UnknownWritten]);
    let mark = |id, is_read| notifications.mark_read(id, is_read, Expected::default());
    assert_eq!(mark(id, true).await, Ok(()));
    assert_eq!(mark(id, false).await, Ok(()));
    assert_eq!(notifications.mark_all_read(Scope::default()).await, Ok(1));
    let unknown = NotificationId { order_id: order(2), topic: Topic::Created };
    assert_eq!(mark(unknown, true).await, Err(MarkError::NotFound));
    store.fail([CommitFault::Data]);
    let refused = mark(id, true).await;
    assert_eq!(refused, Err(MarkError::Impossible("told to fail".to_owned())));
    store.fail(vec![CommitFault::Unavailable; 100]);
    assert_eq!(mark(id, true).await, Err(MarkError::Unavailable));
}

/// Answers as the address says.
struct Mailer;

#[async_trait]
impl Messenger for Mailer {
    async fn send(&self, message: &ChannelMessage) -> Result<(), ChannelError> {
        match message.to.as_str() {
            "busy" => Err(ChannelError::Transient("try later".to_owned())),
            "nobody" => Err(ChannelError::Permanent("no such address".to_owned())),
            "silent" => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_tried_again_or_given_up() {
    let handler = ChannelHandler::new(Channel::Email, Arc::new(Mailer), ChannelMetrics::default());
    let handle = async |payload| {
        let (ticket, settled) = Ticket::channel();
        handler.handle(event(1, payload), ticket);
        settled.await.unwrap()
    };
    let mail = |to: &str| {
        let [channel, subject, body] = ["email", "Hello", "…"].map(str::to_owned);
        let priority = Priority::Standard;
        let to = to.to_owned();
        Payload::Notification(NotificationMessage::Send(ChannelMessage {
            channel,
            to,
            page: None,
            subject,
            body,
            priority,
        }))
    };
    assert!(matches!(handle(mail("ada")).await, TicketOutcome::Done(())));
    assert!(matches!(handle(mail("busy")).await, TicketOutcome::Retry(_)));
    assert!(matches!(handle(mail("silent")).await, TicketOutcome::Retry(_)));
    assert!(matches!(handle(mail("nobody")).await, TicketOutcome::Dead(_)));
    assert!(matches!(
        handle(Payload::Inventory(InventoryMessage::Released)).await,
        TicketOutcome::Dead(_)
    ));
}
