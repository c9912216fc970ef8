//! Takes a backup apart: its files go to a directory, and what its manifest says of them is checked.

use super::manifest::{Entry, FORMAT, Manifest, NAME, hex, size};
use super::target::Target;
use anyhow::{Context, bail, ensure};
use futures::{Stream, StreamExt};
use ordermill_sqlite::snapshot::check_file;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::path::{Component, Path};
use std::time::Duration;
use tar::Archive;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A server that sends nothing for so long has gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How often it is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Pieces that wait to be written.
const PIECES_WAITING_MAX: usize = 8;
/// Bytes of a manifest at the most: a line for each of a handful of databases.
const MANIFEST_MAX: u64 = 64 * 1024;

/// The bytes of a backup.
pub(super) trait Bytes: Stream<Item = io::Result<bytes::Bytes>> + Send + Unpin {}

impl<T: Stream<Item = io::Result<bytes::Bytes>> + Send + Unpin> Bytes for T {}

/// Writes what comes to the directory, and gives it its name once all of it is there and sound.
pub async fn receive(bytes: impl Bytes, target: Target) -> anyhow::Result<Manifest> {
    let (pieces, waiting) = mpsc::channel(PIECES_WAITING_MAX);
    let unpacking = tokio::task::spawn_blocking(move || {
        let reader = Pieces { waiting, rest: bytes::Bytes::new() };
        let manifest = unpack(reader, target.path())?;
        Ok::<_, anyhow::Error>((manifest, target))
    });
    let fed = feed(bytes, pieces).await;
    let unpacked = unpacking.await.context("writing the backup failed")?;
    // What has come in part cannot be unpacked: why it did not come is the cause. Otherwise it is the disk.
    fed?;
    let (manifest, target) = unpacked?;
    for file in &manifest.files {
        let unsound = |why| anyhow::anyhow!("{} is corrupt: {why}", file.name);
        check_file(&target.path().join(&file.name)).await.map_err(unsound)?;
    }
    target.finish()?;
    Ok(manifest)
}

/// Hands on what comes, until it ends or no consumer on it any more.
async fn feed(mut bytes: impl Bytes, pieces: mpsc::Sender<bytes::Bytes>) -> anyhow::Result<()> {
    let (mut come, mut told) = (0, Instant::now());
    while let Some(piece) = tokio::time::timeout(SILENCE_MAX, bytes.next())
        .await
        .with_context(|| format!("no data received for {SILENCE_MAX:?}"))?
    {
        let piece = piece?;
        come += piece.len() as u64;
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            crate::note!("{} so far", size(come));
        }
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn unpack(reader: impl Read, directory: &Path) -> anyhow::Result<Manifest> {
    let mut archive = Archive::new(reader);
    let (mut written, mut manifest) = (Vec::new(), None);
    for entry in archive.entries()? {
        let mut entry = entry.context("the response is not a tar archive")?;
        let name = file_name(&entry.path()?)?;
        if name == NAME {
            manifest = Some(read_manifest(&mut entry)?);
        } else {
            let file = write_file(&mut entry, directory, &name);
            written.push(file.with_context(|| directory.join(&name).display().to_string())?);
        }
    }
    let manifest = manifest.context("the archive is incomplete: it has no manifest")?;
    ensure!(manifest.files == written, "the received files differ from the manifest");
    let text = serde_json::to_vec_pretty(&manifest)?;
    let mut file = std::fs::File::create_new(directory.join(NAME))?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(manifest)
}

/// A name without a path: what comes is written to the directory, and nowhere else.
fn file_name(path: &Path) -> anyhow::Result<String> {
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) => {
            let name = name.to_str().filter(|name| *name == NAME || name.ends_with(".db"));
            name.map(str::to_owned)
                .with_context(|| format!("{} is not a database file", path.display()))
        }
        _ => bail!("{} is not a file name", path.display()),
    }
}

fn read_manifest(entry: &mut impl Read) -> anyhow::Result<Manifest> {
    let mut text = Vec::new();
    entry.take(MANIFEST_MAX).read_to_end(&mut text)?;
    let manifest: Manifest = serde_json::from_slice(&text).context("the manifest is unreadable")?;
    ensure!(manifest.format == FORMAT, "unknown backup format; use a newer version of ordermill");
    Ok(manifest)
}

fn write_file(entry: &mut impl Read, directory: &Path, name: &str) -> anyhow::Result<Entry> {
    let mut file = std::fs::File::create_new(directory.join(name))?;
    let mut writer = Hashing { file: &mut file, digest: Sha256::new() };
    let bytes = io::copy(entry, &mut writer)?;
    let sha256 = hex(&writer.digest.finalize());
    file.sync_all()?;
    Ok(Entry { name: name.to_owned(), bytes, sha256 })
}

struct Hashing<W> {
    file: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What comes, to be read where waiting is allowed.
struct Pieces {
    waiting: mpsc::Receiver<bytes::Bytes>,
    rest: bytes::Bytes,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.waiting.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let length = into.len().min(self.rest.len());
        into[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}
