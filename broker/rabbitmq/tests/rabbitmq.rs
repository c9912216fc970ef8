//! RabbitMQ, held to the contract, and what only it can do wrong. Needs `./scripts/stack`.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]
#![expect(clippy::print_stderr, reason = "a vhost that cannot be deleted is named")]

#[path = "rabbitmq/connection_loss.rs"]
mod connection_loss;
#[path = "rabbitmq/contract.rs"]
mod contract;
#[path = "rabbitmq/foreign_messages.rs"]
mod foreign_messages;
#[path = "rabbitmq/opening.rs"]
mod opening;
#[path = "rabbitmq/proxy.rs"]
mod proxy;
#[path = "rabbitmq/shutdown.rs"]
mod shutdown;
#[path = "rabbitmq/test_vhost.rs"]
mod test_vhost;
