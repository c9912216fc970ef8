//! What the queue `notification.email` brings: e-mails on their way to the mail server.

use crate::messages::Body;
use crate::messages::Payload;
use crate::ports::{ChannelError, Messenger};
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Settled, Ticket};
use std::sync::Arc;
use std::time::Duration;

/// A mail server that has not taken a message by then is tried again later.
const SEND_MAX: Duration = Duration::from_secs(60);

/// Hands e-mails to the mail server. As many are under way as the queue's prefetch lets through.
///
/// At least once: a process that dies between the mail server's answer and the ack sends again.
pub struct EmailHandler {
    messenger: Arc<dyn Messenger>,
}

impl EmailHandler {
    /// A handler that sends through a messenger.
    pub fn new(messenger: Arc<dyn Messenger>) -> Self {
        Self { messenger }
    }
}

impl Handler for EmailHandler {
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        let messenger = self.messenger.clone();
        tokio::spawn(async move {
            let settled = send(&*messenger, &body).await;
            ticket.settle(settled);
        });
    }
}

async fn send(messenger: &dyn Messenger, body: &Body) -> Settled<()> {
    let [message] = body.messages() else {
        return Settled::Dead("expected one message to send".to_owned());
    };
    let Payload::NotificationSend(mail) = &message.payload else {
        return Settled::Dead(format!("`{}` is nothing to send", message.kind()));
    };
    match tokio::time::timeout(SEND_MAX, messenger.send(mail)).await {
        Ok(Ok(())) => Settled::Done(()),
        Ok(Err(ChannelError::Transient(cause))) => Settled::Retry(cause),
        Ok(Err(ChannelError::Permanent(cause))) => Settled::Dead(cause),
        Err(_) => Settled::Retry("the mail server does not answer".to_owned()),
    }
}
