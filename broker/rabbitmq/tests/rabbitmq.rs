//! RabbitMQ, held to the contract, and what only it can do wrong. Needs `./scripts/stack`.

#[path = "rabbitmq/contract.rs"]
mod contract;
#[path = "rabbitmq/place.rs"]
mod place;
