//! The data directory: one process at a time works in it.

use crate::progress::Progress;
use std::fmt::{Display, Formatter};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The file whose lock stands for the whole directory. Holds the process id of whoever has it and, in a second
/// line, the URL where that process serves.
const LOCK_FILE: &str = "ordermill.lock";

/// The file of API keys. It is no service's file, and outside of the lock.
pub(crate) const KEY_FILE: &str = "access.db";

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process works in it.
    #[error("the data directory {} is in use by another process{}", path.display(), holder)]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other, as far as is known.
        holder: Holder,
    },
    /// It cannot be created, or nothing can be written to it.
    #[error("the data directory {} is not usable: {source}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The process that works in a directory, as it has written into the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: Option<String>,
    /// Where it serves; None: it does not, or not yet.
    pub url: Option<String>,
}

impl Holder {
    fn read(text: &str) -> Self {
        let mut lines =
            text.lines().map(str::trim).map(|line| (!line.is_empty()).then(|| line.to_owned()));
        Self { pid: lines.next().flatten(), url: lines.next().flatten() }
    }
}

impl Display for Holder {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.pid.as_ref().map_or(Ok(()), |pid| write!(f, " (pid {pid})"))
    }
}

/// A directory that this process has for itself until the last clone is dropped; the operating
/// system frees it when the process dies, however it dies.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: Arc<File>,
    progress: Arc<Progress>,
}

impl DataDir {
    /// Creates the directory where it is missing, and takes it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let path = path.into();
        match lock(&path) {
            Ok(Ok(file)) => Ok(Self { path, lock: Arc::new(file), progress: Arc::default() }),
            Ok(Err(holder)) => Err(DataDirError::InUse { path, holder }),
            Err(source) => Err(DataDirError::Unusable { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the files in it are.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Writes down where this process serves: whoever finds the directory in use can ask there.
    pub fn serves_at(&self, url: &str) -> io::Result<()> {
        write_holder(&self.lock, Some(url))
    }

    /// The databases of services in it, by name. The file of API keys is not one of them.
    pub fn databases(&self) -> io::Result<Vec<PathBuf>> {
        let files = std::fs::read_dir(&self.path)?.map(|entry| Ok(entry?.path()));
        let files: Vec<PathBuf> = files.collect::<io::Result<_>>()?;
        let is_database = |file: &PathBuf| {
            file.extension().is_some_and(|kind| kind == "db")
                && file.file_name().is_none_or(|name| name != KEY_FILE)
        };
        let mut files: Vec<_> = files.into_iter().filter(is_database).collect();
        files.sort();
        Ok(files)
    }
}

fn write_holder(mut lock: &File, url: Option<&str>) -> io::Result<()> {
    let text = format!("{}\n{}\n", std::process::id(), url.unwrap_or_default());
    lock.rewind()?;
    lock.write_all(text.as_bytes())?;
    lock.set_len(text.len() as u64)
}

/// The locked file, or what the holder of the lock has written into it.
fn lock(directory: &Path) -> io::Result<Result<File, Holder>> {
    if directory.exists() && !directory.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
    }
    std::fs::create_dir_all(directory)?;
    let path = directory.join(LOCK_FILE);
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
    match file.try_lock() {
        Ok(()) => {
            write_holder(&file, None)?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            Ok(Err(Holder::read(&std::fs::read_to_string(&path).unwrap_or_default())))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
