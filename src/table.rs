//! Tables as text: aligned columns without lines between them, coloured on a terminal only.

use crate::output::STDOUT;
use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{CellAlignment, presets};

/// How a text is set off.
#[derive(Clone, Copy)]
pub enum Tone {
    /// A heading.
    Heading,
    /// Less important than the rest.
    Faint,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

/// Whether colours are shown.
#[derive(Clone, Copy)]
pub struct Paint {
    /// They are.
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
    columns: comfy_table::Table,
    marks: Vec<Option<bool>>,
}

impl Table {
    /// A table with these columns; a mark stands behind the last.
    pub fn new(heading: &[&str]) -> Self {
        let mut columns = comfy_table::Table::new();
        columns.load_style(presets::NOTHING);
        columns.set_header(heading.iter().map(|name| name.trim_start_matches('>')));
        for (column, name) in columns.column_iter_mut().zip(heading) {
            column.set_padding((0, 2));
            if name.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { columns, marks: Vec::new() }
    }

    /// Adds a row that is as it should be, or not.
    pub fn row(&mut self, cells: Vec<String>, good: bool) {
        self.add(cells, Some(good));
    }

    /// Adds a row that is neither.
    pub fn plain(&mut self, cells: Vec<String>) {
        self.add(cells, None);
    }

    fn add(&mut self, cells: Vec<String>, mark: Option<bool>) {
        debug_assert_eq!(cells.len(), self.columns.column_count());
        self.columns.add_row(cells);
        self.marks.push(mark);
    }

    /// The table as text, a newline at the end of each line, without marks and colours.
    pub fn text(&self) -> String {
        self.columns.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The table as a part of a report: indented, with marks, in colours.
    pub fn render(&self, paint: Paint) -> String {
        let mut lines = self.columns.lines().map(|line| format!("  {line}"));
        let heading = lines.next().unwrap_or_default();
        let heading = paint.tone(Tone::Faint, heading.trim_end());
        let rows = lines.zip(&self.marks).map(|(line, mark)| match mark {
            None => line.trim_end().to_owned(),
            Some(true) => format!("{line}{}", paint.mark(true)),
            Some(false) => format!("{}{}", paint.tone(Tone::Bad, &line), paint.mark(false)),
        });
        std::iter::once(heading).chain(rows).map(|line| line + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_heading() {
        let mut table = Table::new(&["name", ">n"]);
        table.row(vec!["a".into(), "1".into()], true);
        table.row(vec!["longer".into(), "100".into()], false);
        let text = table.render(Paint { on: false });
        assert_eq!(text, "  name      n\n  a         1  ✓\n  longer  100  ✗\n");
        assert_eq!(table.text(), "name      n\na         1\nlonger  100\n");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        let mut table = Table::new(&["name", "n"]);
        table.plain(vec!["本".into(), "1".into()]);
        assert_eq!(table.text(), "name  n\n本    1\n");
    }
}
