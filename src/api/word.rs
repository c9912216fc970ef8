//! Words of fixed lists in answers: documented as enumerations, from the lists that the domain keeps.

use ordermill_actors::order::CAUSES;
use ordermill_actors::runtime::lifecycle::LifecycleEventKind;
use ordermill_actors::runtime::tree::{KINDS, Status as ActorStatus};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Kind, Plan, Priority, Queue};
use ordermill_domain::notification::Topic;
use ordermill_domain::order::decide::BY_CUSTOMER;
use ordermill_domain::order::{OrderStatus, SagaStatus, SagaStep, Step};
use ordermill_domain::payment::PaymentStatus;
use ordermill_domain::shipping::ShipmentStatus;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
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

/// A word of the list `T`.
pub struct Word<T>(Cow<'static, str>, PhantomData<fn() -> T>);

impl<T: Words> Word<T> {
    /// A word that is stored as text. It is shown as it is stored.
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

impl<T: Words> Type for Word<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(T::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(T::NAME.to_owned(), |_| MetaSchema {
            description: Some(T::ABOUT),
            enum_items: T::all().into_iter().map(|word| Value::String(word.into_owned())).collect(),
            ..MetaSchema::new("string")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Words> ToJSON for Word<T> {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone().into_owned()))
    }
}

impl<T: Words> ParseFromJSON for Word<T> {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        // Bodies are read by `body::Raw`; this type only documents.
        Err(ParseError::custom("words are read from their text"))
    }
}

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
    "OrderStatus": OrderStatus, "The status of an order.";
    "SagaStatus": SagaStatus, "The status of a saga. `FAILED`: a compensation does not complete; \
        it is still retried, and needs an operator.";
    "SagaStep": SagaStep, "The step that a saga waits for; `DONE` if it waits for none.";
    "PaymentStatus": PaymentStatus, "The status of a payment.";
    "ShipmentStatus": ShipmentStatus, "The status of a shipment.";
    "Flow": Flow, "The coordination of the saga steps.";
    "Plan": Plan, "The order of the saga steps.";
    "Priority": Priority, "The shipping priority.";
    "EventType": Kind, "The name of a message between services.";
    "NotificationType": Topic, "The event that a notification is about.";
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
