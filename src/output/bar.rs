//! Where progress bars are drawn: on standard error, without waiting for it.

use super::STDERR;
use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};
use std::io;
use std::sync::{Mutex, MutexGuard};

/// Standard error as a place for progress bars.
pub fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like(Box::<Drawing>::default())
}

/// What is drawn between two flushes.
#[derive(Debug, Default)]
struct Drawing(Mutex<String>);

impl Drawing {
    fn text(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn move_cursor(&self, n: usize, direction: char) -> io::Result<()> {
        match n {
            0 => Ok(()),
            n => self.write_str(&format!("\x1b[{n}{direction}")),
        }
    }
}

impl TermLike for Drawing {
    fn width(&self) -> u16 {
        Term::stderr().size().1
    }

    fn height(&self) -> u16 {
        Term::stderr().size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.text().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.text());
        STDERR.offer(drawn);
        Ok(())
    }
}
