//! Times in answers: RFC 3339 in UTC, to the microsecond, always ending in `Z`, as in the logs.

use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;
use std::borrow::Cow;

/// A moment, as `2026-03-01T09:30:00.000000Z`.
#[derive(Clone, Copy, Debug)]
pub struct Time(DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl Time {
    /// The schema's name in the document.
    pub const NAME: &str = "Time";
}

impl Type for Time {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        Self::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::NAME.to_owned(), |_| MetaSchema {
            description: Some("A timestamp (RFC 3339) in UTC with microseconds."),
            pattern: Some(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$".to_owned()),
            example: Some(Value::from("2026-03-01T09:30:00.125000Z")),
            ..MetaSchema::new_with_format("string", "date-time")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for Time {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.to_rfc3339_opts(SecondsFormat::Micros, true)))
    }
}

impl ParseFromJSON for Time {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("times stand in answers only"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_the_same_form() {
        for (micros, expected) in [
            (1_772_357_400_000_000, "2026-03-01T09:30:00.000000Z"),
            (1_772_357_400_120_000, "2026-03-01T09:30:00.120000Z"),
        ] {
            let time = Time(DateTime::from_timestamp_micros(micros).unwrap());
            assert_eq!(time.to_json().unwrap(), expected);
        }
    }
}
