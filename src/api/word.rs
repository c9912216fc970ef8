//! Words of fixed lists: documented as enumerations, from the lists that the domain keeps.

use crate::api::schema::described;
use ordermill_actors::order::CAUSES;
use ordermill_actors::runtime::lifecycle::LifecycleEventKind;
use ordermill_actors::runtime::tree::{KINDS, Status as ActorStatus};
use ordermill_domain::access::{KeyStatus, Role};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Kind, Plan, Priority, Queue};
use ordermill_domain::notification::Topic;
use ordermill_domain::order::decide::BY_CUSTOMER;
use ordermill_domain::order::{OrderStatus, SagaStatus, SagaStep, Step};
use ordermill_domain::payment::{Attention, PaymentStatus, Provider, RefundStatus};
use ordermill_domain::shipping::ShipmentStatus;
use poem_openapi::registry::MetaSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;
use std::marker::PhantomData;

/// A list of words, as a schema of the document.
pub trait Words: 'static {
    /// The schema's name.
    const NAME: &'static str;
    /// The schema's description.
    const ABOUT: &'static str;

    /// Every word.
    fn all() -> Vec<Cow<'static, str>>;
}

/// A word of the list `T`; in a request, one that may be of it.
pub struct Word<T>(Cow<'static, str>, PhantomData<fn() -> T>);

impl<T: Words> Word<T> {
    /// A word as it was stored or sent, of the list or not.
    pub fn stored(word: impl Into<Cow<'static, str>>) -> Self {
        Self(word.into(), PhantomData)
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T> Clone for Word<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::stored)
    }
}

described!(
    [T: Words] Word<T>,
    T::NAME,
    MetaSchema {
        description: Some(T::ABOUT),
        enum_items: T::all().into_iter().map(|word| Value::String(word.into_owned())).collect(),
        ..MetaSchema::new("string")
    },
    |word| Some(Value::String(word.0.clone().into_owned()))
);

macro_rules! words {
    ($($name:literal: $type:ty, $about:literal;)*) => {
        $(
            impl Words for $type {
                const NAME: &'static str = $name;
                const ABOUT: &'static str = $about;

                fn all() -> Vec<Cow<'static, str>> {
                    <$type>::ALL.iter().map(|word| word.as_str().into()).collect()
                }
            }

            impl From<$type> for Word<$type> {
                fn from(word: $type) -> Self {
                    Self(word.as_str().into(), PhantomData)
                }
            }
        )*
    };
}

words! {
    "Role": Role, "The role of an API key.";
    "KeyStatus": KeyStatus, "Whether an API key is accepted.";
    "OrderStatus": OrderStatus, "The status of an order.";
    "SagaStatus": SagaStatus, "The status of a saga. `FAILED`: a compensation does not complete; \
        it is still retried, and needs an operator.";
    "SagaStep": SagaStep, "The step that a saga waits for; `DONE` if it waits for none.";
    "PaymentStatus": PaymentStatus, "The status of a payment.";
    "RefundStatus": RefundStatus, "The status of a refund.";
    "PaymentProvider": Provider, "A payment gateway.";
    "PaymentAttention": Attention, "What a person should know, or has to do, about a payment. \
        `refund_by_hand` and `cancel_rejected`: nothing goes on before a person acts.";
    "ShipmentStatus": ShipmentStatus, "The status of a shipment.";
    "Flow": Flow, "The coordination of the saga steps.";
    "Plan": Plan, "The order of the saga steps.";
    "Priority": Priority, "The shipping priority.";
    "EventType": Kind, "The name of a message between services.";
    "NotificationType": Topic, "The event that a notification is about; \
        of `payment.status.updated` with the status.";
    "Service": ServiceName, "A service.";
    "Queue": Queue, "A queue.";
    "ActorStatus": ActorStatus, "The status of an actor.";
}

/// What an order's history names as a cause: the name of a message, or who asked.
pub struct Cause;

impl Words for Cause {
    const NAME: &'static str = "Cause";
    const ABOUT: &'static str = "The cause of a change: the name of a message; `customer` or \
        `operator` for a request; `deadline` for an expired deadline.";

    fn all() -> Vec<Cow<'static, str>> {
        CAUSES.into_iter().map(Cow::from).chain(Kind::all()).collect()
    }
}

/// Where an order failed.
pub struct FailedStep;

impl Words for FailedStep {
    const NAME: &'static str = "FailedStep";
    const ABOUT: &'static str = "The failed step; `customer` for a cancellation; after an expired \
        deadline, the step that the saga was waiting for.";

    fn all() -> Vec<Cow<'static, str>> {
        let refusable = Step::ALL.iter().filter(|step| step.undo().is_some());
        let steps = refusable.map(|step| step.as_str().into());
        let expired = SagaStep::ALL.iter().filter(|step| **step != SagaStep::DONE);
        let expired = expired.map(|step| step.as_str().to_lowercase().into());
        steps.chain([BY_CUSTOMER.into()]).chain(expired).collect()
    }
}

/// The kind of an actor.
pub struct ActorKind;

impl Words for ActorKind {
    const NAME: &'static str = "ActorKind";
    const ABOUT: &'static str = "The kind of an actor.";

    fn all() -> Vec<Cow<'static, str>> {
        KINDS.into_iter().map(Cow::from).collect()
    }
}

/// What becomes of an actor, or of a stream that tells of actors.
pub struct ActorEventName;

impl ActorEventName {
    /// Events that a stream was too slow for.
    pub const MISSED: &str = "missed";
}

impl Words for ActorEventName {
    const NAME: &'static str = "ActorEventName";
    const ABOUT: &'static str =
        "The kind of lifecycle event; `missed`: this stream was too slow and lost events.";

    fn all() -> Vec<Cow<'static, str>> {
        let names = LifecycleEventKind::ALL.iter().map(|what| what.as_str().into());
        names.chain([Self::MISSED.into()]).collect()
    }
}
