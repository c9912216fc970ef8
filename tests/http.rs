//! The HTTP API over a real port: each test starts a whole shop on a directory of its own.
//!
//! One file a part of the contract; `support` is the customer that all of them share.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

mod http {
    mod access;
    mod actors;
    mod actors_cli;
    mod adjustments;
    mod admin;
    mod admin_payments;
    mod bounds;
    mod connections;
    mod dead_letters;
    mod described;
    mod dlq;
    mod events;
    mod idempotency;
    mod identifiers;
    mod injection;
    mod inventory;
    mod lists;
    mod mail;
    mod malformed;
    mod operations;
    mod orders;
    mod payment_methods;
    mod payment_page;
    mod payments;
    mod preconditions;
    mod problems;
    mod queues;
    mod reconciliation;
    mod records;
    mod simulated_pages;
    mod support;
    mod web;
}
