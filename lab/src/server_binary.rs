//! The server that is measured: the `ordermill` beside this program.

use anyhow::ensure;
use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;

/// Where it is.
///
/// # Errors
/// When there is none: it says how to build it.
pub fn server_binary() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(format!("ordermill{EXE_SUFFIX}"));
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    ensure!(
        path.is_file(),
        "{} is missing; build it with: cargo build{release} --bin ordermill",
        path.display()
    );
    Ok(path)
}
