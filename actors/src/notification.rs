//! Notification: how it is fed with events, and how its messages reach customers.
//!
//! ```text
//!  notification.orders ──▶ notify ──▶ one entry per (order, topic) ──▶ the log
//!                                        │ one message for each address
//!                                        ▼
//!                              notification.channels ──▶ notification.email ──▶ Messenger
//!                                                    ──▶ notification.sms ────▶ Messenger
//! ```
//!
//! Each channel has a queue of its own, so that a mail server that is away delays nothing but mail; a message may come
//! twice.

mod channel_handler;
mod feed;
mod handle;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod reads;
#[cfg(test)]
mod tests;
mod wiring;

pub use channel_handler::{ChannelHandler, Messengers};
pub use handle::{MarkError, Notifications};
#[cfg(any(test, feature = "testing"))]
pub use memory::NotificationMemory;
pub use reads::{NotificationFilter, NotificationReads};
pub use wiring::wire;
