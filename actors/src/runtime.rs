//! The components that every service is built from, written once.
//!
//! | component | file | what it does |
//! |---|---|---|
//! | consumer | [`consumer`] | takes deliveries, hands them to the service, acks when they are committed |
//! | entity | [`entity`], [`directory`] | one actor per order or payment, found or brought back by key |
//! | journal | [`journal`] | commits changes in groups: one transaction at a time, no timer |
//! | relay | [`relay`] | publishes the outbox with confirms, then has its rows forgotten |
//! | supervisor | [`supervisor`], [`tree`] | restarts what fails, shows what lives |
//!
//! [`service_builder`] puts them together for one service.

pub mod address;
pub mod admission;
pub mod consumer;
pub mod consumer_handle;
pub mod consumer_watchdog;
pub mod dead_letters;
pub mod directory;
pub mod entity;
pub mod feed;
pub mod in_flight;
pub mod journal;
pub mod lag;
pub mod lifecycle;
pub mod linked_task;
pub mod periodic_task;
pub mod quarantine;
pub mod relay;
pub mod request;
pub mod retention;
pub mod service_builder;
pub mod supervisor;
pub mod ticket;
pub mod tree;
