//! PostgreSQL's stores: the contract that all stores are held to, and what several processes on one
//! server can do to each other. Every test has a database of its own.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

#[path = "postgres/adoption.rs"]
mod adoption;
#[path = "postgres/backend.rs"]
mod backend;
#[path = "postgres/concurrent_processes.rs"]
mod concurrent_processes;
#[path = "postgres/connections.rs"]
mod connections;
#[path = "postgres/contract.rs"]
mod contract;
#[path = "postgres/locks.rs"]
mod locks;
#[path = "postgres/opening.rs"]
mod opening;
#[path = "postgres/plans.rs"]
mod plans;
#[path = "postgres/pooler.rs"]
mod pooler;
#[path = "postgres/proxy.rs"]
mod proxy;
#[path = "postgres/server.rs"]
mod server;
#[path = "postgres/standby.rs"]
mod standby;
#[path = "postgres/tables.rs"]
mod tables;
#[path = "postgres/unsuitable_servers.rs"]
mod unsuitable_servers;
#[path = "postgres/upgrade.rs"]
mod upgrade;
