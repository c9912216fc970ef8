//! How lines are written: the same for events, panics and the report of dropped lines.

use super::line::Line;
use crate::config::LogFormat;
use std::sync::OnceLock;
use tracing::Level;

/// How this process writes lines; plain until it is known.
pub(super) static STYLE: OnceLock<Style> = OnceLock::new();

/// How lines are written.
#[derive(Clone, Copy, Default)]
pub(super) struct Style {
    pub(super) format: LogFormat,
    pub(super) colour: bool,
}

impl Style {
    pub(super) fn line(self, line: &Line) -> String {
        let mut text = match self.format {
            LogFormat::Plain => line.plain(self.colour),
            LogFormat::Json => line.json(),
        };
        text.push('\n');
        text
    }
}

pub(super) fn style() -> Style {
    STYLE.get().copied().unwrap_or_default()
}

/// The line that reports dropped lines.
pub fn dropped(count: u64) -> String {
    let message = "log lines were dropped: standard error is blocked or not writable";
    let line = Line::new(Level::WARN, "ordermill::telemetry", message, [("dropped", count.into())]);
    style().line(&line)
}
