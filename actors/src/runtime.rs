//! The stations that every service is built from, written once.
//!
//! | station | file | what it does |
//! |---|---|---|
//! | consumer | [`consumer`] | takes deliveries, hands them to the service, acks when they are committed |
//! | entity | [`entity`], [`directory`] | one actor per order or payment, found or brought back by key |
//! | journal | [`journal`] | commits changes in groups: one transaction at a time, no timer |
//! | relay | [`relay`] | publishes the outbox with confirms, then has its rows forgotten |
//! | supervisor | [`supervisor`], [`tree`] | restarts what fails, shows what lives |
//!
//! [`stations`] puts them together for one service.

pub mod address;
pub mod admission;
pub mod asking;
pub mod beside;
pub mod consumer;
pub mod dead_letters;
pub mod directory;
pub mod entity;
pub mod expected;
pub mod feed;
pub mod in_hand;
pub mod journal;
pub mod lag;
pub mod lifecycle;
pub mod outbox;
pub mod quarantine;
pub mod relay;
pub mod retention;
pub mod routine;
pub mod service;
pub mod silence;
pub mod stations;
pub mod supervisor;
pub mod ticket;
pub mod tree;
