//! Secrets from files: every setting that holds a secret has a twin that names a file with its value.
//!
//! ```text
//! AMQP_URL, --amqp-url  ─▶  AMQP_URL_FILE, --amqp-url-file
//! ```
//!
//! A setting holds a secret if the help hides its value (`hide_env_values`). The twins follow from that: a new secret
//! needs nothing but [`Reader::secret`](super::reader::Reader::secret) to be read.

use super::secret::{Secret, may_hold_secret};
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Ends the name that a twin is read by. No field has a dot.
const SUFFIX: &str = ".file";

/// Bytes of a secret: far above any real one. A path of an endless device is noticed.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The files of secrets, by the fields of the settings. Flattened behind all settings, whose twins it adds.
#[derive(Clone, Debug, Default)]
pub struct SecretFiles(BTreeMap<String, PathBuf>);

impl SecretFiles {
    /// True when no secret is in a file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file of a setting.
    pub(super) fn path(&self, field: &str) -> Option<&Path> {
        self.0.get(field).map(PathBuf::as_path)
    }

    /// Those of some settings.
    pub(super) fn of(&self, is_taken: impl Fn(&str) -> bool) -> Self {
        let files = self.0.iter().filter(|(field, _)| is_taken(field));
        Self(files.map(|(field, path)| (field.clone(), path.clone())).collect())
    }
}

/// True for a setting that holds a secret.
pub(super) fn holds_secret(setting: &Arg) -> bool {
    setting.is_hide_env_values_set()
}

/// The name that the twin of a setting is read by.
pub(super) fn twin_of(field: &str) -> String {
    format!("{field}{SUFFIX}")
}

/// The setting that a name belongs to, its own or that of its twin.
pub(super) fn setting_of(field: &str) -> &str {
    field.strip_suffix(SUFFIX).unwrap_or(field)
}

fn twin(setting: &Arg) -> Arg {
    let flag = format!("{}-file", setting.get_long().unwrap_or_default());
    let variable = setting.get_env().unwrap_or_default().to_string_lossy();
    Arg::new(twin_of(setting.get_id().as_str()))
        .long(flag)
        .env(format!("{variable}_FILE"))
        .value_name("PATH")
        .value_parser(value_parser!(OsString))
        .help(format!("File with the value of {variable}"))
        // A dozen of them; the help says once how they are named.
        .hide(true)
}

impl Args for SecretFiles {
    fn augment_args(command: Command) -> Command {
        let twins: Vec<_> =
            command.get_arguments().filter(|setting| holds_secret(setting)).map(twin).collect();
        command.args(twins)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SecretFiles {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let twins = matches.ids().filter(|id| id.as_str().ends_with(SUFFIX));
        let file = |id: &clap::Id| {
            let path: &OsString = matches.get_one(id.as_str())?;
            // An empty value counts as not set.
            let is_set = !path.to_string_lossy().trim().is_empty();
            is_set.then(|| (setting_of(id.as_str()).to_owned(), path.into()))
        };
        Ok(Self(twins.filter_map(file).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads a secret: the whole file but for one newline at its end. What is wrong is said without its content.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    let fault = match read {
        Err(error) => Some(format!("cannot be read: {error}")),
        Ok(_) if text.len() as u64 > SECRET_BYTES_MAX => Some("is longer than 64 KiB".to_owned()),
        Ok(_) if text.trim().is_empty() => Some("is empty".to_owned()),
        Ok(_) => None,
    };
    if let Some(fault) = fault {
        return Err(format!("the file {} {fault}", shown(path)));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text.into())
}

/// A path as an error names it. One that may be the secret itself, set in the wrong place, is not shown.
fn shown(path: &Path) -> String {
    let text = path.as_os_str().to_string_lossy();
    let is_path = text.contains('/') && !may_hold_secret(&text);
    if is_path {
        format!("`{}`", text.escape_debug())
    } else {
        "(its name is not shown)".to_owned()
    }
}

/// The flag of a secret on the command line, as a notice.
pub(super) fn exposed(setting: &Arg) -> String {
    let flag = setting.get_long().unwrap_or_default();
    let variable = setting.get_env().unwrap_or(OsStr::new("")).to_string_lossy();
    format!(
        "--{flag} shows its value to every user of this machine (`ps`); set {variable}_FILE to the path of a file \
         with the value, or set {variable}"
    )
}
