//! Notification's rules: what customers are told of their orders.
//!
//! One entry per order and topic. An entry that is there already is the same event come again: nothing is written or sent
//! for it. An entry is what a customer reads in the shop, and marks as read; each channel that is on gets one message of
//! it.

mod change;
mod channel;
mod decide_batch;
mod entry;
mod entry_batch;
mod mark_all_read;
mod mark_read;
mod notify;
mod policy;
mod service;
mod text;
mod topic;

pub use change::{
    Change, Keys, NotificationAnswer, Rows, Scope, StoredEntry, UNREAD_PAGE, UnreadPage, Writes,
};
pub use channel::Channel;
pub use entry::{BadNotificationId, Notification, NotificationId};
pub use policy::NotificationPolicy;
pub use service::NotificationService;
pub use topic::Topic;
