//! A backup as bytes: a tar of the databases, read from a snapshot while the system goes on, and the manifest at its end.
//!
//! ```text
//! snapshot ─▶ header, file, header, file, …, manifest ─▶ a few pieces in memory ─▶ whoever reads
//! ```
//!
//! While a file is being read its log grows: what is committed meanwhile cannot be copied into the file. So a
//! reader that stops is left after [`STALL_MAX`], and one that is too slow when the logs have grown to
//! [`LOGS_MAX`].

use super::manifest::{Entry, FORMAT, Manifest, NAME, hex};
use bytes::Bytes;
use futures::Stream;
use futures::stream::unfold;
use ordermill_domain::clock::World;
use ordermill_sqlite::Database;
use ordermill_sqlite::snapshot::{Snapshot, SnapshotError, Snapshots};
use sha2::{Digest, Sha256};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;
use tar::{EntryType, Header};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;
/// Pieces that wait for the reader, at the most: 2 MiB.
const PIECES_WAITING_MAX: usize = 8;
/// A reader that takes nothing for so long has gone.
const STALL_MAX: Duration = Duration::from_secs(30);
/// The bytes that all logs together may have: more would fill a disk that nobody had planned for a log, and
/// make every read slow. At full load a log grows by some 50 MiB a second.
const LOGS_MAX: u64 = 2 << 30;
/// What a tar is made of.
const BLOCK: u64 = 512;

/// Why no backup begins.
#[derive(Debug, Error)]
pub enum Refused {
    /// One is being taken.
    #[error("another backup is running; retry when it has finished")]
    Another,
    /// There is no snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// Why a backup breaks off.
#[derive(Debug, Error)]
enum Broken {
    #[error("the client disconnected")]
    Gone,
    #[error("the client has read nothing for {STALL_MAX:?}")]
    Stalled,
    #[error("the client is too slow: the write-ahead logs have grown to {LOGS_MAX} bytes")]
    Slow,
    #[error("the process is shutting down")]
    Ending,
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// Takes backups of these databases, one at a time. Cheap to clone.
#[derive(Clone)]
pub struct Backups {
    databases: Arc<[Database]>,
    world: World,
    stop: CancellationToken,
    one: Arc<Semaphore>,
    stall_max: Duration,
    logs_max: u64,
}

impl Backups {
    /// Backups of these databases, until `stop`.
    pub fn of(databases: Vec<Database>, world: World, stop: CancellationToken) -> Self {
        let (stall_max, logs_max) = (STALL_MAX, LOGS_MAX);
        let one = Arc::new(Semaphore::new(1));
        Self { databases: databases.into(), world, stop, one, stall_max, logs_max }
    }

    /// The same with bounds that a test can reach.
    #[cfg(test)]
    pub(super) fn bounded(self, stall_max: Duration, logs_max: u64) -> Self {
        Self { stall_max, logs_max, ..self }
    }

    /// Takes a snapshot. Writing is held up for an instant.
    pub async fn begin(&self) -> Result<Archive, Refused> {
        let permit = self.one.clone().try_acquire_owned().map_err(|_| Refused::Another)?;
        let snapshots = Snapshots::take(&self.databases).await?;
        let held_ms = u64::try_from(snapshots.held.as_millis()).unwrap_or(u64::MAX);
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: self.world.now(),
            held_ms,
            files: Vec::new(),
        };
        Ok(Archive { backups: self.clone(), manifest, snapshots, permit })
    }

    /// Waits until none is being taken.
    pub async fn ended(&self) {
        // It is never closed.
        let _ = self.one.acquire().await;
    }
}

/// A backup that has begun: the snapshot is there.
pub struct Archive {
    backups: Backups,
    manifest: Manifest,
    snapshots: Snapshots,
    permit: OwnedSemaphorePermit,
}

/// What the reader gets.
enum Piece {
    Bytes(Bytes),
    /// All of it has come.
    End,
}

impl Archive {
    /// Its bytes. They end with an error where the backup breaks off.
    pub fn bytes(self) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static {
        let (pieces, reader) = mpsc::channel(PIECES_WAITING_MAX);
        tokio::spawn(self.write(pieces));
        Box::pin(unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(reader))),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the backup was interrupted")), None)),
            }
        }))
    }

    async fn write(self, pieces: mpsc::Sender<Piece>) {
        let Self { backups, manifest, snapshots, permit } = self;
        let begun = Instant::now();
        let mut writer = Writer { pieces, manifest, backups };
        let mut left = snapshots.files.into_iter();
        let written = writer.write(&mut left).await;
        for snapshot in left {
            snapshot.release().await;
        }
        let duration_ms = begun.elapsed().as_millis() as u64;
        let held_ms = writer.manifest.held_ms;
        match written {
            Ok(bytes) => tracing::info!(bytes, duration_ms, held_ms, "backup finished"),
            Err(error) => tracing::warn!(%error, duration_ms, held_ms, "backup interrupted"),
        }
        drop(permit);
    }
}

struct Writer {
    pieces: mpsc::Sender<Piece>,
    manifest: Manifest,
    backups: Backups,
}

impl Writer {
    /// Writes all of it; how many bytes the databases have.
    async fn write(&mut self, snapshots: &mut std::vec::IntoIter<Snapshot>) -> Result<u64, Broken> {
        while let Some(snapshot) = snapshots.as_slice().first() {
            let logs = snapshots.as_slice().iter();
            let sha256 =
                self.file(snapshot, || logs.clone().map(Snapshot::log_bytes).sum()).await?;
            snapshot.check()?;
            let (name, bytes) = (snapshot.name().to_owned(), snapshot.bytes());
            self.manifest.files.push(Entry { name, bytes, sha256 });
            if let Some(done) = snapshots.next() {
                done.release().await;
            }
        }
        let manifest = serde_json::to_vec_pretty(&self.manifest).map_err(io::Error::other)?;
        let bytes = manifest.len() as u64;
        self.send(self.header(NAME, bytes)?).await?;
        self.send(manifest.into()).await?;
        // Two empty blocks are the end of a tar.
        self.send(zeros(padding(bytes) + 2 * BLOCK)).await?;
        self.give(Piece::End).await?;
        Ok(self.manifest.files.iter().map(|file| file.bytes).sum())
    }

    /// Writes one file; its SHA-256.
    async fn file(&self, file: &Snapshot, logs: impl Fn() -> u64) -> Result<String, Broken> {
        self.send(self.header(file.name(), file.bytes())?).await?;
        let mut digest = Sha256::new();
        let mut at = 0;
        while at < file.bytes() {
            if logs() > self.backups.logs_max {
                return Err(Broken::Slow);
            }
            let length = (file.bytes() - at).min(PIECE as u64) as usize;
            let bytes = file.file().clone();
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; length];
                bytes.read_exact_at(&mut piece, at)?;
                digest.update(&piece);
                Ok::<_, io::Error>((piece, digest))
            });
            let piece;
            (piece, digest) = read.await.map_err(io::Error::other)??;
            at += length as u64;
            self.send(piece.into()).await?;
        }
        self.send(zeros(padding(file.bytes()))).await?;
        Ok(hex(&digest.finalize()))
    }

    fn header(&self, name: &str, bytes: u64) -> Result<Bytes, Broken> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_path(name)?;
        header.set_size(bytes);
        // Customers' names and addresses are in it.
        header.set_mode(0o600);
        header.set_mtime(self.manifest.taken_at.timestamp().unsigned_abs());
        header.set_cksum();
        Ok(Bytes::copy_from_slice(header.as_bytes()))
    }

    async fn send(&self, bytes: Bytes) -> Result<(), Broken> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.give(Piece::Bytes(bytes)).await
    }

    async fn give(&self, piece: Piece) -> Result<(), Broken> {
        let given = tokio::time::timeout(self.backups.stall_max, self.pieces.send(piece));
        tokio::select! {
            biased;
            () = self.backups.stop.cancelled() => Err(Broken::Ending),
            given = given => match given {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Broken::Gone),
                Err(_) => Err(Broken::Stalled),
            },
        }
    }
}

/// What is missing to a whole block.
fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK) - bytes
}

fn zeros(count: u64) -> Bytes {
    vec![0; count as usize].into()
}
