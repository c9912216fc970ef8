//! E-mail over SMTP.

use crate::config::SmtpConfig;
use anyhow::Context;
use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use ordermill_actors::ports::{ChannelError, Messenger};
use ordermill_domain::messages::ChannelMessage;

/// Sends e-mails through a mail server.
pub struct SmtpMessenger {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMessenger {
    /// A messenger for a configured server; it connects when there is something to send.
    pub fn new(config: &SmtpConfig) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.expose())
            .context("ORDERMILL_SMTP_URL")?
            .build();
        Ok(Self { transport, from: config.from.clone() })
    }
}

#[async_trait]
impl Messenger for SmtpMessenger {
    async fn send(&self, message: &ChannelMessage) -> Result<(), ChannelError> {
        let permanent = |error: &dyn std::fmt::Display| ChannelError::Permanent(error.to_string());
        let to: Mailbox = message.to.parse().map_err(|error| permanent(&error))?;
        // The builder encodes headers: nothing in a subject can become a header of its own.
        let email = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(message.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(message.text().into_owned())
            .map_err(|error| permanent(&error))?;
        match self.transport.send(email).await {
            Ok(_) => Ok(()),
            Err(error) if Error::is_permanent(&error) => Err(permanent(&error)),
            Err(error) => Err(ChannelError::Transient(error.to_string())),
        }
    }
}
