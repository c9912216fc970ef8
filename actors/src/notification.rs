//! Notification: what customers are told of their orders.
//!
//! ```text
//!  notification.orders ──▶ tell ──▶ one entry per (order, topic) ──▶ the log
//!                                        │ one message for each address
//!                                        ▼
//!                              notification.channels ──▶ notification.email ──▶ Messenger
//!                                                    ──▶ notification.sms ────▶ Messenger
//! ```
//!
//! Stored entries are what a customer reads in the shop, and marks as read. An entry that is there
//! already is the same event come again: nothing is written or sent for it. Each channel has a queue of
//! its own, so that a mail server that is away delays nothing but mail; a message may come twice.

mod change;
mod channel;
mod channel_handler;
mod decide_batch;
mod entry;
mod entry_batch;
mod feed;
mod handle;
mod mark_all_read;
mod mark_read;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod notify;
mod policy;
mod reads;
mod service;
#[cfg(test)]
mod tests;
mod text;
mod topic;

pub use change::{
    Change, Keys, NotificationAnswer, Rows, Scope, StoredEntry, UNREAD_PAGE, UnreadPage, Writes,
};
pub use channel::Channel;
pub use channel_handler::{ChannelHandler, Messengers};
pub use entry::{BadNotificationId, Notification, NotificationId};
pub use handle::{MarkError, Notifications};
#[cfg(any(test, feature = "testing"))]
pub use memory::NotificationMemory;
pub use policy::NotificationPolicy;
pub use reads::{NotificationFilter, NotificationReads};
pub use service::NotificationService;
pub use topic::Topic;
