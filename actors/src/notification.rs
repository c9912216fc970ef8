//! Notification: what customers are told of their orders.
