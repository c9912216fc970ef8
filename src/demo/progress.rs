//! How far the demo is: a moving bar on a terminal, a line now and then elsewhere.

use crate::output::{STDERR, bar};
use crate::waiting;
use indicatif::{ProgressBar, ProgressStyle};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Elsewhere than on a terminal, a line is written each time this part of a whole is done.
const LINES: usize = 4;

/// Counts up to a total.
pub(super) struct Progress {
    what: &'static str,
    total: usize,
    done: AtomicUsize,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts at nothing.
    pub(super) fn start(what: &'static str, total: usize) -> Self {
        let bar = STDERR.is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), bar::target());
            let style = ProgressStyle::with_template("  {bar:40.green} {pos:>6}/{len} {msg}")
                .expect("the template names only what there is");
            bar.with_style(style).with_message(what)
        });
        Self { what, total, done: AtomicUsize::new(0), bar }
    }

    /// Does the work that steps. Elsewhere than on a terminal a line says often how far it is.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.bar {
            Some(_) => work.await,
            None => waiting::report_waiting(|| self.told(), work).await,
        }
    }

    fn told(&self) -> String {
        format!("{}: {}/{}", self.what, self.done.load(Ordering::Relaxed), self.total)
    }

    /// One more.
    pub(super) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => {
                let part = |count: usize| count * LINES / self.total;
                if part(done) > part(done - 1) {
                    crate::note!("  {done}/{} {}", self.total, self.what);
                }
            }
        }
    }

    /// Makes room for what comes next.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
