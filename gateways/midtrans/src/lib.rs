//! Payments over Midtrans Snap (<https://docs.midtrans.com>): the customer pays at a page of Midtrans.
//!
//! [`Midtrans`] asks Midtrans over HTTP, [`MidtransReader`] reads its notifications, and [`MidtransSettings`] says
//! which account and which servers.
//!
//! An order is called `prefix + order UUID` there, so that each answer and each notification names its order.

mod gateway;
mod notification;
mod server_key;
mod settings;

pub use gateway::{Midtrans, NotStarted};
pub use notification::MidtransReader;
pub use server_key::ServerKey;
pub use settings::{BaseUrl, Environment, MidtransSettings, OrderPrefix, SettingsError};
