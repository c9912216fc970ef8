//! The data directory: one process at a time works in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The file whose lock stands for the whole directory. Holds the process id of whoever has it.
const LOCK_FILE: &str = "ordermill.lock";

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process works in it.
    #[error("the data directory {} is in use by another process{}", path.display(), pid_of(holder))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other's process id, where it could be read.
        holder: Option<String>,
    },
    /// It cannot be created, or nothing can be written to it.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn pid_of(holder: &Option<String>) -> String {
    holder.as_ref().map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// A directory that this process has for itself until the last clone is dropped; the operating
/// system frees it when the process dies, however it dies.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: Arc<File>,
}

impl DataDir {
    /// Creates the directory where it is missing, and takes it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let path = path.into();
        match lock(&path) {
            Ok(Ok(file)) => Ok(Self { path, _lock: Arc::new(file) }),
            Ok(Err(holder)) => Err(DataDirError::InUse { path, holder }),
            Err(source) => Err(DataDirError::Unusable { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The locked file, or the process id that the holder of the lock has written into it.
fn lock(directory: &Path) -> io::Result<Result<File, Option<String>>> {
    if directory.exists() && !directory.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no directory"));
    }
    std::fs::create_dir_all(directory)?;
    let path = directory.join(LOCK_FILE);
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            let pid = written.trim();
            Ok(Err((!pid.is_empty()).then(|| pid.to_owned())))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
