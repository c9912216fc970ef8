//! What the services say to each other: one envelope, typed payloads, and where each message goes.

mod body;
mod details;
mod envelope;
mod payload;
mod route;
mod topology;

pub use body::{Body, Bundle, Unreadable};
pub use details::{Address, Contact, Line, OrderDetails, Priority};
pub use envelope::{Flow, Message, Origin, Plan, event_id};
pub use payload::{
    ChannelMessage, Failure, Kind, OrderNotice, Payload, PaymentApproved, PaymentProcess, Refusal,
    ShipmentScheduled, ShippingSchedule, Shortage, Step, StockLine,
};
pub use route::{FEEDS, Route, bundles, feeds, queues_for, route, routing_key};
pub use topology::{
    BINDINGS, Binding, Exchange, ExchangeKind, Queue, QueueKind, RETRY_DELAYS, RPC_PAYMENT,
    UNROUTED, retry_exchange,
};
