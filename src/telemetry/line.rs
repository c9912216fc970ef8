//! One event as one line of text.

use super::fields::Fields;
use crate::characters::is_control;
use clap::builder::styling::{AnsiColor, Style};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// The service of a line that stands in no service's span.
const NO_SERVICE: &str = "ordermill";
/// The fields that come first, in this order, so that lines are easy to scan.
const FIRST: [&str; 3] = ["order_id", "request_id", "trace_id"];

/// An event, ready to be written.
pub(super) struct Line {
    timestamp: String,
    level: Level,
    target: String,
    service: String,
    message: String,
    /// The identifiers of [`FIRST`] that are known.
    first: Vec<(&'static str, Value)>,
    /// Everything else.
    rest: Fields,
}

impl Line {
    /// An event's line.
    pub(super) fn of(metadata: &Metadata<'_>, mut fields: Fields) -> Self {
        let target = target(metadata, &mut fields);
        Self::with(*metadata.level(), target, fields)
    }

    /// A line about what is no event.
    pub(super) fn new(
        level: Level,
        target: &str,
        message: &str,
        fields: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let fields = [("message", message.into())].into_iter().chain(fields);
        Self::with(level, target.to_owned(), fields.collect())
    }

    fn with(level: Level, target: String, mut fields: Fields) -> Self {
        let mut timestamp = String::new();
        // A string takes whatever is written to it.
        let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
        let service = fields.remove("service").map_or_else(|| NO_SERVICE.to_owned(), text);
        let message = fields.remove("message").map_or_else(String::new, text);
        let first =
            FIRST.into_iter().filter_map(|name| Some((name, fields.remove(name)?))).collect();
        // These names are taken; a field that bears one would write it twice.
        for taken in ["timestamp", "level", "target"] {
            fields.remove(taken);
        }
        Self { timestamp, level, target, service, message, first, rest: fields }
    }

    /// For people.
    pub(super) fn plain(&self, colour: bool) -> String {
        let (strong, dim) = match colour {
            true => (colour_of(self.level), Style::new().dimmed()),
            false => (Style::new(), Style::new()),
        };
        let Self { timestamp, level, service, .. } = self;
        let mut line = format!(
            "{dim}{timestamp}{dim:#} {strong}{level:>5}{strong:#} {:<12} {}",
            one_line(service),
            one_line(&self.message),
        );
        for (name, value) in self.fields() {
            let value = match value {
                Value::String(text) => bare_or_quoted(text),
                other => Cow::Owned(other.to_string()),
            };
            // A string takes whatever is written to it.
            let _ = write!(line, " {dim}{name}={dim:#}{value}");
        }
        line
    }

    /// For machines.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a line holds only JSON values")
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.first.iter().map(|(name, value)| (*name, value)).chain(self.rest.iter())
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        map.serialize_entry("level", self.level.as_str())?;
        map.serialize_entry("service", &self.service)?;
        map.serialize_entry("message", &self.message)?;
        for (name, value) in self.fields() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("target", &self.target)?;
        map.end()
    }
}

/// Where the event comes from. The `log` crate's records all bear one target and name theirs in a field.
fn target(metadata: &Metadata<'_>, fields: &mut Fields) -> String {
    for detail in ["log.module_path", "log.file", "log.line"] {
        fields.remove(detail);
    }
    fields.remove("log.target").map_or_else(|| metadata.target().to_owned(), text)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn colour_of(level: Level) -> Style {
    let colour = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    colour.on_default()
}

/// The text with its control characters escaped: what a customer wrote must not make lines of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match is_control(c) {
        true => c.escape_default().collect::<String>(),
        false => c.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}

fn bare_or_quoted(text: &str) -> Cow<'_, str> {
    let bare = !text.is_empty()
        && text.chars().all(|c| !c.is_whitespace() && !is_control(c) && c != '"' && c != '=');
    if bare { Cow::Borrowed(text) } else { Cow::Owned(format!("{text:?}")) }
}
