//! The columns of the table of steps.

use crate::clock::Timestamp;
use crate::messages::{Kind, OrderDetails, OrderMessage, OrderNotice, Payload, Refusal};
use crate::order::policy::SagaPolicy;
use crate::order::status::OrderStatus;
use std::time::Duration;

/// The specification of a step.
#[derive(Debug)]
pub struct StepSpec {
    /// The name in failures and stored facts.
    pub name: &'static str,
    /// How the step is taken.
    pub action: Action,
    /// When the step is taken.
    pub phase: Phase,
}

/// A command to a service: to take a step, or to undo it.
#[derive(Debug)]
pub struct Action {
    /// The saga's activity while the answer is awaited.
    pub activity: SagaStep,
    /// The command, for an order that was placed at this time.
    pub command: fn(&OrderDetails, Timestamp) -> Payload,
    /// The answer that it is done.
    pub done: Kind,
    /// The order's status once it is done. None: it has no status of its own.
    pub status: Option<OrderStatus>,
}

/// When a step is taken.
#[derive(Debug)]
pub enum Phase {
    /// Before the order is confirmed, in the order of its plan.
    Plan {
        /// The answer that the step is refused.
        refused: Kind,
        /// Why the step is refused, from this answer.
        refusal: fn(&Payload) -> Option<&Refusal>,
        /// The order's status once the step is refused.
        failed: OrderStatus,
        /// How the step is undone. If it was never done, the answer is that it never will be.
        undo: Action,
    },
    /// After the order is confirmed. The step is neither refused nor undone.
    Fulfilment {
        /// The trigger of the step.
        trigger: Trigger,
        /// The alarm if the step is reported as done but its command was not sent.
        unsent: &'static str,
        /// The notice that the step is done. None: customers are not told.
        notice: Option<fn(OrderNotice) -> OrderMessage>,
    },
}

/// The trigger of a step of the fulfilment.
#[derive(Debug)]
pub enum Trigger {
    /// That the previous step of the fulfilment is done.
    Previous,
    /// A request.
    Request {
        /// The event that the step is requested.
        event: fn(&OrderDetails) -> Payload,
        /// The status in which the step can be requested.
        from: OrderStatus,
        /// Why the request is refused in another status.
        conflict: &'static str,
        /// Why the request is refused while the order is compensated.
        compensating: &'static str,
        /// How long after its confirmation an order requests the step by itself. None: never.
        automatic: fn(&SagaPolicy) -> Option<Duration>,
    },
}

/// The activity of a saga: the step or the undo that it waits for first, by its name in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SagaStep(pub(super) &'static str);

impl SagaStep {
    /// The saga waits for nothing.
    pub const DONE: Self = Self("DONE");

    /// The name as it is written.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}
