//! Aligned columns, coloured on a terminal only.

use crate::output::STDOUT;
use clap::builder::styling::{AnsiColor, Style};
use std::fmt::Write;

/// How a text is set off.
#[derive(Clone, Copy)]
pub enum Tone {
    Heading,
    Faint,
    Good,
    Bad,
}

/// Whether colours are shown.
#[derive(Clone, Copy)]
pub struct Paint {
    pub on: bool,
}

impl Paint {
    /// Colours if the standard output is a terminal and nobody asked for none.
    pub fn for_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { on: STDOUT.is_terminal() && !refused }
    }

    /// The text in a tone.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Heading => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
        };
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// The mark of what is as it should be, or not.
    pub fn mark(self, good: bool) -> String {
        match good {
            true => self.tone(Tone::Good, "✓"),
            false => self.tone(Tone::Bad, "✗"),
        }
    }
}

/// Rows under a heading. Columns whose heading begins with `>` stand to the right.
pub struct Table {
    heading: Vec<&'static str>,
    rows: Vec<(Vec<String>, Option<bool>)>,
}

impl Table {
    /// A table with these columns; a mark stands behind the last.
    pub fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row that is as it should be, or not.
    pub fn row(&mut self, cells: Vec<String>, good: bool) {
        debug_assert_eq!(cells.len(), self.heading.len());
        self.rows.push((cells, Some(good)));
    }

    /// Adds a row that is neither.
    pub fn plain(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.heading.len());
        self.rows.push((cells, None));
    }

    /// The table as text, a newline at the end of each line.
    pub fn render(&self, paint: Paint) -> String {
        let names: Vec<_> = self.heading.iter().map(|name| name.trim_start_matches('>')).collect();
        let widths: Vec<usize> = (0..names.len())
            .map(|column| {
                let cells = self.rows.iter().map(|(cells, _)| cells[column].chars().count());
                cells.chain([names[column].chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &[&str]| {
            let mut text = String::from(" ");
            for ((cell, width), name) in cells.iter().zip(&widths).zip(&self.heading) {
                // A string takes whatever is written to it.
                let _ = match name.starts_with('>') {
                    true => write!(text, " {cell:>width$} "),
                    false => write!(text, " {cell:<width$} "),
                };
            }
            text
        };
        let mut text = paint.tone(Tone::Faint, line(&names).trim_end());
        text.push('\n');
        for (cells, good) in &self.rows {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let line = line(&cells);
            let _ = match good {
                None => writeln!(text, "{}", line.trim_end()),
                Some(true) => writeln!(text, "{line} {}", paint.mark(true)),
                Some(false) => {
                    writeln!(text, "{} {}", paint.tone(Tone::Bad, &line), paint.mark(false))
                }
            };
        }
        text
    }
}
