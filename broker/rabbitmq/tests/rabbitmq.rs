//! RabbitMQ, held to the contract, and what only it can do wrong. Needs `./scripts/stack`.

#[path = "rabbitmq/contract.rs"]
mod contract;
#[path = "rabbitmq/ending.rs"]
mod ending;
#[path = "rabbitmq/losing.rs"]
mod losing;
#[path = "rabbitmq/opening.rs"]
mod opening;
#[path = "rabbitmq/place.rs"]
mod place;
#[path = "rabbitmq/strangers.rs"]
mod strangers;
#[path = "rabbitmq/wire.rs"]
mod wire;
