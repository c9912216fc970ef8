//! What happened, in order: hashed, and kept when somebody wants to read it.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Mutex;
use tokio::time::Instant;

struct Inner {
    hasher: DefaultHasher,
    events: u64,
    lines: Option<Vec<String>>,
}

/// A history in the making.
pub struct Trace {
    start: Instant,
    inner: Mutex<Inner>,
}

impl Trace {
    /// An empty history; `kept` line by line, or only hashed.
    pub fn new(kept: bool) -> Self {
        let lines = kept.then(Vec::new);
        // `DefaultHasher::new` always starts from the same keys.
        let inner = Inner { hasher: DefaultHasher::new(), events: 0, lines };
        Self { start: Instant::now(), inner: Mutex::new(inner) }
    }

    /// Something happened.
    pub fn say(&self, what: fmt::Arguments<'_>) {
        let at = self.start.elapsed();
        let line = format!("{:>12.6} {what}", at.as_secs_f64());
        let mut inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        inner.hasher.write(line.as_bytes());
        inner.events += 1;
        if let Some(lines) = &mut inner.lines {
            lines.push(line);
        }
    }

    /// How much has happened.
    pub fn events(&self) -> u64 {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).events
    }

    /// The hash of all that happened, how much it was, and the lines, if they were kept.
    pub fn read(&self) -> (u64, u64, Vec<String>) {
        let inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        (inner.hasher.finish(), inner.events, inner.lines.clone().unwrap_or_default())
    }
}
