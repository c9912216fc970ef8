//! The results of a command, on standard output.
//!
//! They wait for their reader (`ordermill openapi | less`), but not on a thread that others need. The reader may
//! leave early (`ordermill openapi | head`): the command goes on, where `println!` would panic. Text of which a part
//! may be dropped goes to [`crate::output`] instead.

use std::fmt::Arguments;
use std::io::Write;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Prints a line, as `println!` does.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => { $crate::print::line(::std::format_args!($($words)*)) };
}

/// Prints a line.
pub fn line(words: Arguments<'_>) {
    text(&format!("{words}\n"));
}

/// Prints a text that ends its lines itself.
pub fn text(text: &str) {
    waiting(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "waiting for the reader delays nothing else here"
        )]
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    });
}

/// Does something that may take as long as a reader takes. Where this thread belongs to a runtime of several, its
/// other tasks go to another one first.
fn waiting(work: impl FnOnce()) {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
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
