//! What a command has to say, on the standard output.
//!
//! Whoever reads it may leave early (`ordermill openapi | head`). That is their business: nobody listens, and
//! what was asked for goes on. `println!` would panic.

use std::fmt::Arguments;
use std::io::Write;

/// Prints a line, as `println!` does.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => { $crate::print::line(::std::format_args!($($words)*)) };
}

/// Prints a line.
pub fn line(words: Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{words}");
}

/// Prints a text that ends its lines itself.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// An error with its causes, each told once: many errors quote their cause already.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use thiserror::Error;

    #[derive(Debug, Error)]
    #[error("the file cannot be opened: {source}")]
    struct Quoting {
        source: std::io::Error,
    }

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no space");
        let error = anyhow::Error::new(Quoting { source }).context("the order database");
        assert_eq!(told(&error), "the order database: the file cannot be opened: no space");
    }
}
