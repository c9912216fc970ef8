//! What a backup consists of: the last file of the archive. An archive without it has broken off.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};

/// The file's name.
pub const NAME: &str = "backup.json";

/// How the archive and this file are made; another number is another way.
pub const FORMAT: u32 = 1;

/// A backup.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of Ordermill that has taken it.
    pub version: String,
    /// The instant that all databases are of.
    pub taken_at: DateTime<Utc>,
    /// How long writing was held up for it, in milliseconds.
    pub held_ms: u64,
    /// The databases.
    pub files: Vec<Entry>,
}

/// A database of a backup.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Display for Manifest {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let bytes = self.files.iter().map(|file| file.bytes).sum();
        write!(
            f,
            "backed up {} databases, {}, as of {} (writes paused for {} ms)",
            self.files.len(),
            size(bytes),
            self.taken_at.format("%Y-%m-%dT%H:%M:%S%.3fZ"),
            self.held_ms
        )
    }
}

/// A SHA-256 as it stands in a manifest.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
