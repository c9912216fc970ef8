//! RabbitMQ, held to the contract, and what only it can do wrong. Needs `./scripts/stack`.

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
