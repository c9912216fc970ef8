//! The messages between the services: one envelope, typed payloads, and where each message goes.

mod address;
mod body;
mod content;
mod details;
mod envelope;
mod page_link;
pub mod payload;
mod route;
mod routing_key;
pub mod schema;
mod topology;
mod trace_context;

pub use address::{Address, Contact, Priority};
pub use body::{Body, Bundle, Unreadable};
pub use content::{
    ChannelMessage, Failure, OrderNotice, PaymentActionRequired, PaymentApproved, PaymentAttention,
    PaymentProcess, PaymentRefunded, PaymentStatusUpdated, PaymentUpdated, Refusal,
    ShipmentScheduled, ShippingSchedule, Shortage, StockLine,
};
pub use details::{Line, OrderDetails};
pub use envelope::{Flow, Message, Origin, Plan, event_id};
pub use page_link::hide_links;
pub use payload::{
    InventoryMessage, Kind, NotificationMessage, OrderMessage, Payload, PaymentMessage, Role,
    ShippingMessage,
};
pub use route::{FEEDS, Route, bundles, feeds, queues_for, route};
pub use routing_key::routing_key;
pub use topology::{
    BINDINGS, Binding, Exchange, ExchangeKind, Queue, QueueKind, RETRY_DELAYS, RPC_PAYMENT,
    RPC_PAYMENT_REQUESTS, UNROUTED, retry_exchange,
};
pub use trace_context::{TraceContext, span_id};
