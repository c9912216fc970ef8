//! Logging: one line an event, for people or for machines.
//!
//! ```text
//! 2026-03-01T10:00:00.000000Z  INFO payment      charged order_id=0195… request_id=abc amount=49.90
//! {"timestamp":"…","level":"INFO","service":"payment","order_id":"0195…","message":"charged",…}
//! ```
//!
//! Spans carry `service`, `order_id`, `request_id` and `trace_id`; each line takes over the fields of the spans
//! that it stands in, the inner ones before the outer, so that one `grep` follows an order or a
//! request through every service.

mod fields;
mod line;
mod otlp;
mod style;

use crate::config::{LogConfig, LogFormat};
use crate::output::STDERR;
use fields::Fields;
use line::Line;
use serde_json::Value;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use style::{STYLE, Style, style};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

pub use otlp::{Otlp, TraceStats};
pub use style::dropped;

/// What other crates log is their own business until they warn. lapin's errors are told by the broker's own
/// lines, with what is done about them; poem's server says that it listens and stops each time that its part of
/// this process does. A filter that names a crate wins.
const QUIET: &str = "ractor=warn,sqlx=warn,poem=warn,lapin=off";

/// Sets the format of every line that the process writes from now on, panics included. The first call counts.
pub fn prepare(format: LogFormat) {
    let colour = STDERR.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if STYLE.set(Style { format, colour }).is_ok() {
        std::panic::set_hook(Box::new(|panic| STDERR.offer(panicked(panic))));
    }
}

/// Starts logging, to standard error: standard output is for a command's results.
///
/// # Errors
/// When the filter is malformed (a checked configuration's is not), or logging has already started.
pub fn init(log: &LogConfig) -> anyhow::Result<()> {
    prepare(log.format);
    let filter = EnvFilter::builder().parse(format!("{QUIET},{}", log.filter))?;
    let lines = Lines { style: style(), write: |line| STDERR.offer(line) };
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    Ok(())
}

/// What is said outside of the log, as text that ends with a line break: these words for people, or a line of the
/// log for machines.
pub fn said(
    level: Level,
    words: &str,
    message: &str,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
) -> String {
    match style().format {
        LogFormat::Plain => format!("{words}\n"),
        LogFormat::Json => {
            style().line(&Line::new(level, env!("CARGO_CRATE_NAME"), message, fields))
        }
    }
}

/// A panic as a line. Not as an event: whatever has panicked may be part of an event.
fn panicked(panic: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    let backtrace = Backtrace::capture();
    let shown = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let (style, message) = (style(), panic.to_string());
    let mut fields = vec![("thread", thread.into())];
    if style.format == LogFormat::Json {
        fields.extend(shown.clone().map(|shown| ("backtrace", shown.into())));
    }
    let mut text = style.line(&Line::new(Level::ERROR, module_path!(), &message, fields));
    if style.format == LogFormat::Plain {
        text.push_str(&shown.unwrap_or_default());
    }
    text
}

/// Writes events as lines.
struct Lines<W> {
    style: Style,
    /// Writes a line. It must not wait: it is called wherever something is logged.
    write: W,
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: Fn(String) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.take_over(outer);
            }
        }
        event.record(&mut fields);
        (self.write)(self.style.line(&Line::of(event.metadata(), fields)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::{info, info_span, warn};

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let page = Arc::new(Mutex::new(String::new()));
        let written = page.clone();
        let write = move |line: String| written.lock().unwrap().push_str(&line);
        let lines = Lines { style: Style { format, colour: false }, write };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        page.lock().unwrap().clone()
    }

    fn a_charge() {
        let request = info_span!("request", service = "http", request_id = "r-1");
        let _request = request.enter();
        let order = info_span!("order", service = "payment", order_id = tracing::field::Empty);
        order.record("order_id", "o-1");
        let _order = order.enter();
        info!(amount = 4990, "charged");
    }

    #[test]
    fn a_json_line_has_the_fields_of_its_spans() {
        let line: Value = serde_json::from_str(&logged(LogFormat::Json, a_charge)).unwrap();
        assert_eq!(line["service"], "payment", "the inner span's");
        assert_eq!(line["order_id"], "o-1");
        assert_eq!(line["request_id"], "r-1");
        assert_eq!(line["amount"], 4990);
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"charged".into()));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_plain_line_has_them_too() {
        let line = logged(LogFormat::Plain, a_charge);
        let end = "INFO payment      charged order_id=o-1 request_id=r-1 amount=4990\n";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn a_line_without_spans_still_names_a_service() {
        let line = logged(LogFormat::Json, || warn!("alone"));
        assert!(line.contains(r#""service":"ordermill""#), "{line}");
    }

    #[test]
    fn nobody_can_forge_a_line() {
        for format in [LogFormat::Plain, LogFormat::Json] {
            let text =
                logged(format, || info!(name = "a\nINFO b\u{1b}[2J\u{202e}", "c\nd\u{202e}"));
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
            // On a terminal it would turn the rest of the line around; JSON is for machines.
            let turns = text.contains('\u{202e}');
            assert_eq!(turns, matches!(format, LogFormat::Json), "{text}");
        }
    }

    #[test]
    fn an_error_is_logged_with_its_causes() {
        let error = anyhow::anyhow!("disk full").context("commit failed");
        let error: &(dyn std::error::Error + 'static) = error.as_ref();
        let text = logged(LogFormat::Json, || info!(error, "batch"));
        assert!(text.contains(r#""error":"commit failed: disk full""#), "{text}");
    }
}
