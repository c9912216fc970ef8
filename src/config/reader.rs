//! Reads settings one by one and remembers every one that is wrong.

use super::args::ServeArgs;
use super::secret::{Secret, may_hold_secret};
use super::secret_files::{self, SecretFiles};
use clap::Args;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// The settings that are wrong, all of them.
#[derive(Debug, Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(f, "{problem}"),
            problems => {
                write!(f, "{} settings are invalid", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: String,
    /// The flag.
    pub flag: String,
    /// What it is set to; none when it is missing or may be secret.
    pub value: Option<String>,
    /// What is accepted.
    pub accepted: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.variable, self.flag)?;
        if let Some(value) = &self.value {
            write!(f, " is `{}`", value.escape_debug())?;
        }
        write!(f, ": {}", self.accepted)
    }
}

/// Reads settings by the name of their field in [`ServeArgs`].
///
/// A wrong one gives the type's default, which nobody sees: [`Reader::finish`] refuses the whole.
pub(super) struct Reader {
    settings: clap::Command,
    files: SecretFiles,
    problems: Vec<Problem>,
}

impl Reader {
    /// Reads secrets from these files where they are not set themselves.
    pub(super) fn new(files: &SecretFiles) -> Self {
        let settings = ServeArgs::augment_args(clap::Command::new("settings"));
        Self { settings, files: files.clone(), problems: Vec::new() }
    }

    /// What was read, unless something was wrong.
    pub(super) fn finish<T>(self, read: T) -> Result<T, ConfigError> {
        let problems = self.problems;
        if problems.is_empty() { Ok(read) } else { Err(ConfigError { problems }) }
    }

    /// A setting read by `parse`, or its default where the text is empty.
    pub(super) fn parsed<T: Default>(
        &mut self,
        field: &str,
        text: &str,
        accepted: impl fmt::Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let effective = match text.trim() {
            "" => self.default_of(field),
            trimmed => trimmed.to_owned(),
        };
        parse(&effective).unwrap_or_else(|| {
            self.refuse(field, Some(text), accepted);
            T::default()
        })
    }

    /// A secret, as it is set or from its file. One whose file cannot be used is noted, and is blank: it counts as
    /// set.
    pub(super) fn secret(&mut self, field: &str, value: &Option<Secret>) -> Option<Secret> {
        let value = value.as_ref().filter(|value| !value.is_blank()).cloned();
        let Some(path) = self.files.path(field).map(Path::to_owned) else { return value };
        let fault = match (value, secret_files::read(&path)) {
            (None, Ok(secret)) => return Some(secret),
            (None, Err(fault)) => fault,
            (Some(_), _) => format!("{} is set as well; remove one of them", self.named(field)),
        };
        self.refuse(&secret_files::twin_of(field), None, fault);
        Some(String::new().into())
    }

    /// A duration within bounds.
    pub(super) fn duration(
        &mut self,
        field: &str,
        text: &str,
        [shortest, longest]: [Duration; 2],
    ) -> Duration {
        let accepted = format!("expected {}", durations(shortest, longest));
        self.parsed(field, text, accepted, |text| duration_within(text, shortest, longest))
    }

    /// A duration within bounds, or `off`.
    pub(super) fn duration_or_off(
        &mut self,
        field: &str,
        text: &str,
        [shortest, longest]: [Duration; 2],
    ) -> Option<Duration> {
        let accepted = format!("expected `off` or {}", durations(shortest, longest));
        self.parsed(field, text, accepted, |text| match text {
            "off" => Some(None),
            text => duration_within(text, shortest, longest).map(Some),
        })
    }

    /// A share, 0 to 1.
    pub(super) fn rate(&mut self, field: &str, text: &str) -> f64 {
        self.parsed(field, text, "expected a number from 0 to 1, such as 0.2", |text| {
            text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate))
        })
    }

    /// Notes that a setting is wrong. A secret's value is not given.
    pub(super) fn refuse(&mut self, field: &str, value: Option<&str>, accepted: impl fmt::Display) {
        let setting = self.setting(field);
        let variable = setting.get_env().map(|name| name.to_string_lossy().into_owned());
        self.problems.push(Problem {
            variable: variable.unwrap_or_default(),
            flag: format!("--{}", setting.get_long().unwrap_or_default()),
            value: value.filter(|value| !may_hold_secret(value)).map(str::to_owned),
            accepted: accepted.to_string(),
        });
    }

    /// Variable and flag of a setting.
    fn named(&self, field: &str) -> String {
        let setting = self.setting(field);
        let variable = setting.get_env().unwrap_or_default().to_string_lossy();
        format!("{variable} (--{})", setting.get_long().unwrap_or_default())
    }

    fn default_of(&self, field: &str) -> String {
        let values = self.setting(field).get_default_values();
        values.first().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn setting(&self, field: &str) -> &clap::Arg {
        let mut settings = self.settings.get_arguments();
        settings
            .find(|setting| setting.get_id() == field)
            .expect("settings are read by the name of a field of ServeArgs")
    }
}

/// The environment variable of a setting, by the name of its field.
pub(super) fn variable_of(field: &str) -> String {
    let reader = Reader::new(&SecretFiles::default());
    let variable = reader.setting(field).get_env().unwrap_or_default();
    variable.to_string_lossy().into_owned()
}

fn durations(shortest: Duration, longest: Duration) -> String {
    let [shortest, longest] = [shortest, longest].map(humantime::format_duration);
    format!("a duration from {shortest} to {longest}, such as 500ms, 30s, 15m or 1h")
}

fn duration_within(text: &str, shortest: Duration, longest: Duration) -> Option<Duration> {
    let duration = humantime::parse_duration(text).ok()?;
    (shortest..=longest).contains(&duration).then_some(duration)
}
