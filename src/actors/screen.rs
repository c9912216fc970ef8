//! The terminal, while the tree is watched: drawn over and over from its upper left corner, on the
//! alternate screen, so that what stood there before comes back.

use crate::output::STDOUT;

/// The alternate screen, without a cursor; lines that are too long are cut off.
const OPEN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// The screen as it was, and its cursor.
const CLOSE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// To the upper left corner.
const HOME: &str = "\x1b[H";
/// Clears what is left of a line.
const REST_OF_LINE: &str = "\x1b[K\r\n";
/// Clears what is left below.
const REST: &str = "\x1b[J";

/// The screen, until it is dropped. Into a file or a pipe trees are written one after the other.
pub(super) struct Screen {
    is_terminal: bool,
    /// Comes before the next picture.
    opening: &'static str,
}

impl Screen {
    pub(super) fn open() -> Self {
        Self { is_terminal: STDOUT.is_terminal(), opening: OPEN }
    }

    /// A sentence as lines that fit the terminal: a line that is too long is cut off there, and with it the
    /// end of a sentence, which says the reason.
    pub(super) fn wrapped(&self, sentence: &str) -> String {
        let width = usize::from(console::Term::stdout().size().1);
        if self.is_terminal { wrap(sentence, width) } else { format!("{sentence}\n") }
    }

    pub(super) fn draw(&mut self, text: &str) {
        // The reader is slower than the trees: this one is left out.
        if !STDOUT.is_written() {
            return;
        }
        if !self.is_terminal {
            return STDOUT.offer(format!("{text}\n"));
        }
        // Line by line over the old: clearing it all first would flicker.
        let lines = fitting(text, height());
        let opening = std::mem::take(&mut self.opening);
        STDOUT.offer(format!("{opening}{HOME}{}{REST}", lines.join(REST_OF_LINE)));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.is_terminal {
            STDOUT.offer(CLOSE.to_owned());
        }
    }
}

fn height() -> usize {
    usize::from(console::Term::stdout().size().0)
}

/// Breaks a text at its spaces, or within a word that is longer than a line.
fn wrap(text: &str, width: usize) -> String {
    let width = width.max(1);
    let (mut wrapped, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length <= width {
            wrapped.push(' ');
            column += 1;
        } else if column > 0 {
            wrapped.push('\n');
            column = 0;
        }
        for c in word.chars() {
            if column == width {
                wrapped.push('\n');
                column = 0;
            }
            wrapped.push(c);
            column += 1;
        }
    }
    wrapped.push('\n');
    wrapped
}

/// The lines that fit, or the terminal would scroll; the last says how many do not.
fn fitting(text: &str, height: usize) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    if lines.len() > height {
        let shown = height.saturating_sub(1);
        let more = lines.len() - shown;
        lines.truncate(shown);
        lines.push(format!("… {more} more lines: enlarge the terminal, or use --under order"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_where_the_terminal_ends() {
        assert_eq!(wrap("no server responds: refused", 11), "no server\nresponds:\nrefused\n");
        assert_eq!(wrap("abcdefgh ij", 3), "abc\ndef\ngh\nij\n");
        assert_eq!(wrap("as it is", 80), "as it is\n");
    }

    #[test]
    fn rows_that_do_not_fit_are_counted() {
        assert_eq!(fitting("a\nb\nc\n", 3), ["a", "b", "c"]);
        let cut = fitting("a\nb\nc\nd\n", 3);
        assert_eq!(cut[..2], ["a", "b"]);
        assert!(cut[2].starts_with("… 2 more lines"), "{cut:?}");
    }
}
