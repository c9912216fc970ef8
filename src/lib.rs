//! Ordermill: takes orders and sees each of them through.
//!
//! The shell around `ordermill-actors`: configuration, HTTP, the demo, and the wiring of the services
//! to their databases and their broker. Rules live in `actors`, rows in `stores`.

#![forbid(unsafe_code)]

mod access;
pub mod actors;
pub mod api;
pub mod app;
pub mod asyncapi;
pub mod backup;
mod characters;
pub mod check;
pub mod cli;
pub mod config;
pub mod core_dumps;
pub mod demo;
pub mod dlq;
pub mod health;
mod host;
pub mod key_arg;
pub mod keys;
pub mod metrics;
pub mod migrate;
pub mod output;
pub mod print;
pub mod program;
mod reload;
pub mod simulated_pages;
pub mod sms;
pub mod smtp;
pub mod stop_signal;
mod systemd;
pub mod table;
pub mod telemetry;
pub mod version;
pub mod waiting;
