//! The server that is measured: the `ordermill` beside this program.

use anyhow::{Context, ensure};
use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Finds the server. Warns when it is of another version than this program, or older than its source files.
///
/// # Errors
/// When there is none: it says how to build it.
pub fn server_binary() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(format!("ordermill{EXE_SUFFIX}"));
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    let build = format!("cargo build{release} --bin ordermill");
    ensure!(path.is_file(), "{} is missing; build it with: {build}", path.display());
    if let Some(difference) = difference(&path)? {
        ordermill::note!("{} {difference}; build it again with: {build}", path.display());
    }
    Ok(path)
}

/// How the server differs from the one that cargo would build now. The binaries do not know their commits, but
/// `cargo build` lists the source files of each binary beside it. Without that list only the version is compared.
fn difference(server: &Path) -> anyhow::Result<Option<String>> {
    let asked = Command::new(server).arg("--version").output();
    let answer = asked.with_context(|| format!("running {} failed", server.display()))?.stdout;
    let (version, own) = (String::from_utf8_lossy(&answer), env!("CARGO_PKG_VERSION"));
    let version = version.trim().trim_start_matches("ordermill ");
    if version != own {
        return Ok(Some(format!("is version {version}, and ordermill-lab is {own}")));
    }
    let built = server.metadata()?.modified()?;
    let sources = std::fs::read_to_string(server.with_extension("d")).unwrap_or_default();
    let newer = newer_source(&sources, built);
    Ok(newer.map(|source| format!("is older than its source file {}", source.display())))
}

/// A source file that was modified after the build, of a list in cargo's format: `binary: source source …`, with a
/// backslash before each space in a path.
fn newer_source(list: &str, built: SystemTime) -> Option<PathBuf> {
    let (_, sources) = list.split_once(": ")?;
    let sources = sources.trim_end().replace("\\ ", "\0");
    let paths = sources.split(' ').map(|path| PathBuf::from(path.replace('\0', " ")));
    let modified = |path: &PathBuf| path.metadata().and_then(|source| source.modified()).ok();
    paths.into_iter().find(|path| modified(path).is_some_and(|modified| modified > built))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_source_file_newer_than_the_binary_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["main.rs", "a new one.rs"].map(|name| directory.path().join(name));
        let built = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (path, modified) in [(&old, built), (&new, built + Duration::from_secs(1))] {
            std::fs::File::create(path).unwrap().set_modified(modified).unwrap();
        }
        let escaped = new.display().to_string().replace(' ', "\\ ");
        let list = format!("/target/ordermill: {} {escaped}\n", old.display());
        assert_eq!(newer_source(&list, built), Some(new));
        assert_eq!(newer_source(&list, built + Duration::from_secs(1)), None);
        assert_eq!(newer_source("", built), None);
    }
}
