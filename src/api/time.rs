//! Times in answers: RFC 3339 in UTC, to the microsecond, always ending in `Z`, as in the logs.

use crate::api::schema::described;
use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::registry::MetaSchema;
use serde_json::Value;

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

described!(
    [] Time,
    Self::NAME,
    MetaSchema {
        description: Some("A timestamp (RFC 3339) in UTC with microseconds."),
        pattern: Some(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$".to_owned()),
        example: Some(Value::from("2026-03-01T09:30:00.125000Z")),
        ..MetaSchema::new_with_format("string", "date-time")
    },
    |time| Some(Value::String(time.0.to_rfc3339_opts(SecondsFormat::Micros, true)))
);

#[cfg(test)]
mod tests {
    use super::*;
    use poem_openapi::types::ToJSON;

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
