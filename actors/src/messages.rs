//! What the services say to each other: one envelope, typed payloads, and where each message goes.

mod details;
mod envelope;
mod payload;
mod topology;

pub use details::{Address, Contact, Line, OrderDetails, Priority};
pub use envelope::{Feed, Flow, Message, Origin, Plan, event_id};
pub use payload::{
    ChannelMessage, Failure, Kind, OrderNotice, Payload, PaymentApproved, PaymentProcess, Refusal,
    ShipmentScheduled, ShippingSchedule, Shortage, Step, StockLine,
};
pub use topology::{Exchange, Queue, Route, queues_for, route};
