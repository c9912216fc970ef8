//! The directory of a backup: it has another name until everything in it is on the disk.

use anyhow::{Context, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory that gets its name at the end, and is removed otherwise.
pub struct Target {
    name: PathBuf,
    parent: PathBuf,
    work: TempDir,
}

impl Target {
    /// Checks that the name is free, and makes a directory beside it.
    pub fn make(name: &Path) -> anyhow::Result<Self> {
        let shown = name.display();
        let cannot = || format!("creating {shown} failed");
        if name.exists() {
            let taken = match std::fs::read_dir(name) {
                Ok(mut entries) => entries.next().is_some(),
                Err(_) => true,
            };
            if taken {
                bail!("{shown} exists and is not an empty directory; use a new one");
            }
        }
        // So that a name such as `.` or `backup/` has a parent, too.
        let name = std::path::absolute(name).with_context(cannot)?;
        let (Some(parent), Some(last)) = (name.parent().map(Path::to_owned), name.file_name())
        else {
            bail!("{shown} is not a directory name");
        };
        std::fs::create_dir_all(&parent).with_context(cannot)?;
        let prefix = format!(".{}.partial-", last.to_string_lossy());
        let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(&parent);
        let work = work.with_context(cannot)?;
        Ok(Self { name, parent, work })
    }

    /// Where files are written meanwhile.
    pub fn path(&self) -> &Path {
        self.work.path()
    }

    /// Everything is written: the directory gets its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self { name, parent, work } = self;
        let cannot = || format!("creating {} failed", name.display());
        File::open(work.path())?.sync_all().with_context(cannot)?;
        std::fs::rename(work.path(), &name).with_context(cannot)?;
        // What is there now is the backup, and not to be removed.
        let _ = work.keep();
        File::open(&parent)?.sync_all().with_context(cannot)?;
        Ok(())
    }
}
