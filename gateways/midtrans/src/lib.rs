//! Payments over Midtrans Snap (<https://docs.midtrans.com>): the customer pays at a page of Midtrans.
//!
//! [`Midtrans`] asks Midtrans over HTTP, [`MidtransReader`] reads its notifications, and [`MidtransSettings`] says
//! which account and which servers.
//!
//! ```text
//! create   POST snap/v1/transactions ── page        "taken" ──▶ retrieve
//! retrieve GET  v2/{id}/status
//! capture  GET status, POST v2/capture
//! cancel   POST snap/v1/transactions/{token}/cancel, GET status, POST v2/{id}/cancel
//! refund   GET status, POST v2/{id}/refund          not settled: POST v2/{id}/cancel
//! review   GET status, POST v2/{id}/approve or deny
//! ```
//!
//! An order is called `prefix + order UUID` there, so that each answer and each notification names its order. The
//! `status_code` in a body is the answer, whatever the status of HTTP.

mod cancel;
mod capture;
mod client;
mod create;
mod error;
mod fields;
mod gateway;
mod methods;
mod notification;
mod refund;
mod retrieve;
mod settings;
mod transaction;

pub use client::ClientError;
pub use gateway::Midtrans;
pub use notification::MidtransReader;
pub use settings::{
    BaseUrl, Environment, Keys, MidtransSettings, OrderPrefix, ServerKey, ServerKeys, SettingsError,
};
