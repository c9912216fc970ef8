//! The stores on SQLite: what is common to all, then each service's against its model in memory.

#[path = "stores/audit.rs"]
mod audit;
#[path = "stores/common.rs"]
mod common;
#[path = "stores/contract.rs"]
mod contract;
#[path = "stores/gateway.rs"]
mod gateway;
#[path = "stores/inventory.rs"]
mod inventory;
#[path = "stores/notification.rs"]
mod notification;
#[path = "stores/order.rs"]
mod order;
#[path = "stores/payment.rs"]
mod payment;
#[path = "stores/scratch.rs"]
mod scratch;
#[path = "stores/shipping.rs"]
mod shipping;
