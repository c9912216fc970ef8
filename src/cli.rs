//! The command line: what `ordermill` was asked to do.

use crate::actors::ActorsArgs;
use crate::backup::BackupArgs;
use crate::check::{Check, CheckArgs, CheckError};
use crate::config::{Config, ConfigError, LogFormat, ServeArgs, may_hold_secret};
use crate::dlq::DlqArgs;
use crate::health::HealthArgs;
use crate::key_arg::KeyArg;
use crate::keys::KeysArgs;
use crate::output::STDERR;
use crate::telemetry;
use crate::version::LONG;
use clap::builder::{RangedU64ValueParser, StyledStr};
use clap::error::ContextValue;
use clap::{ArgMatches, Args, Parser, Subcommand};
use ordermill_client::server_url;
use std::ffi::OsString;
use std::process::ExitCode;
use thiserror::Error;
use tracing::Level;

/// The exit code for a bad command line or setting: `EX_USAGE` of sysexits.h, so that a supervisor
/// can tell it from a crash and need not try again.
pub const EXIT_USAGE: u8 = 64;

/// The most orders that one demo places: every one is watched until it rests.
const DEMO_ORDERS_MAX: u64 = 100_000;

#[derive(Parser)]
#[command(name = "ordermill", version, long_version = LONG, args_conflicts_with_subcommands = true)]
#[command(
    about = "Order processing with compensated sagas, supervised actors and durable messaging"
)]
#[command(
    after_help = "Durations are written as 500ms, 30s, 15m or 1h. Every setting can also be \
    set by the environment variable named in its help. Each setting that holds a secret (a URL with a \
    password, a key) can also be read from a file: DATABASE_URL_FILE=PATH or --database-url-file PATH \
    for DATABASE_URL, and so for each."
)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default command)
    Serve(Box<ServeArgs>),
    /// Place some hundred orders with every possible outcome over HTTP, then reconcile them
    ///
    /// Stocks its own products, places orders for every possible outcome, waits until all are
    /// final, and compares stock, money, audit and notifications with the orders. Exits with 1 on
    /// any difference.
    Demo(DemoArgs),
    /// Show the actors of a running server with their status, restarts and errors
    ///
    /// One line per actor, below its supervisor. Exits with 1 if no server responds.
    Actors(ActorsArgs),
    /// Back up an embedded server, running or stopped
    ///
    /// All databases are copied at one instant; writes pause for some milliseconds. DIR becomes a
    /// data directory: to restore it, serve from a copy. For PostgreSQL see docs/OPERATING.md.
    /// Exits with 1 if the backup fails.
    Backup(BackupArgs),
    /// List, redrive and discard dead letters
    ///
    /// Needs a running server. Exits with 1 on failure.
    Dlq(DlqArgs),
    /// Create, list, revoke and rotate API keys
    ///
    /// Works on the store of the keys, also beside a running server; with --url on a running server
    /// over HTTP. The first key locks the server. Exits with 1 on failure.
    Keys(KeysArgs),
    /// Compare the records of all services for every order and product
    ///
    /// Reads a running server (--url), the data directory of a stopped server (--data-dir), or the
    /// databases in the settings. Reports both sides of each disagreement. Exits with 1 if records
    /// differ, and with 69 if they cannot be compared.
    Check(CheckArgs),
    /// Make the databases or bring them up to date, without serving
    ///
    /// Those of the services and URLs in the settings (environment variables). A server does the same
    /// at its start, unless ORDERMILL_MIGRATE is `off`. Exits with 1 if one cannot be migrated.
    Migrate,
    /// Check whether the server of this machine is alive, or ready (--ready)
    ///
    /// For health checks of containers. Exits with 0 or 1, and prints a line with the reason.
    Health(HealthArgs),
    /// Print the OpenAPI document of the API
    Openapi,
    /// Print the AsyncAPI document of the messages on exchanges and queues
    Asyncapi,
}

/// What the demo is told.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DemoArgs {
    /// URL of a running server, for example http://127.0.0.1:8080. Default: start one for the demo,
    /// on a temporary data directory, or on DATABASE_URL and AMQP_URL
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub url: Option<String>,
    /// The API key.
    #[command(flatten)]
    pub key: KeyArg,
    /// Number of orders to place
    #[arg(long, value_name = "N", default_value_t = 300)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=DEMO_ORDERS_MAX))]
    pub orders: usize,
}

/// What is to be done, settings read and checked.
#[derive(Debug)]
pub enum Invocation {
    /// Serve the API.
    Serve(Box<Config>),
    /// Play the demo, with these settings where it starts a server itself.
    Demo(DemoArgs, Box<Config>),
    /// Look at actors.
    Actors(ActorsArgs),
    /// Take a backup.
    Backup(BackupArgs),
    /// Look after dead letters.
    Dlq(DlqArgs),
    /// Manage API keys.
    Keys(KeysArgs),
    /// Compare what the services say.
    Check(Box<Check>),
    /// Migrate the databases.
    Migrate(Box<Config>),
    /// Check health.
    Health(HealthArgs),
    /// Print the OpenAPI document.
    OpenApi,
    /// Print the AsyncAPI document.
    AsyncApi,
}

/// Why nothing is to be done: help was asked for, or something was wrong.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The command line is wrong, or only asks for help or the version.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// A check was asked for that cannot begin.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl Invocation {
    /// Reads this process's command line and environment.
    pub fn from_env() -> Result<Self, Refusal> {
        Self::parse(std::env::args_os())
    }

    fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Refusal> {
        let (cli, matches) = parse::<Cli>(args)?;
        match cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve))) {
            Command::Serve(_) => {
                let given = match matches.subcommand() {
                    Some((_, given)) => given,
                    None => &matches,
                };
                Ok(Self::Serve(Box::new(Config::read(&ServeArgs::given_in(given))?)))
            }
            Command::Demo(args) => Ok(Self::Demo(args, Box::new(Config::for_demo()?))),
            Command::Actors(args) => Ok(Self::Actors(args)),
            Command::Backup(args) => Ok(Self::Backup(args)),
            Command::Dlq(args) => Ok(Self::Dlq(args)),
            Command::Keys(args) => Ok(Self::Keys(args)),
            Command::Check(args) => Ok(Self::Check(Box::new(Check::read(args)?))),
            Command::Migrate => Ok(Self::Migrate(Box::new(Config::from_env()?))),
            Command::Health(args) => Ok(Self::Health(args)),
            Command::Openapi => Ok(Self::OpenApi),
            Command::Asyncapi => Ok(Self::AsyncApi),
        }
    }
}

impl Refusal {
    /// Prints it where it belongs and says how the process should exit.
    pub fn report(self) -> ExitCode {
        match self {
            Self::CommandLine(error) => {
                if !error.use_stderr() {
                    // A closed terminal is no reason to exit otherwise.
                    let _ = error.print();
                    return ExitCode::SUCCESS;
                }
                let words = error.render();
                let coloured = STDERR.is_terminal().then(|| words.ansi().to_string());
                refuse(&coloured.unwrap_or_else(|| words.to_string()), &words.to_string())
            }
            Self::Settings(error) => refuse(
                &format!("error: {error}\n\nFor all settings, run `ordermill --help`."),
                &error.to_string(),
            ),
            Self::Check(CheckError::Settings(error)) => Self::Settings(error).report(),
            Self::Check(error @ CheckError::RepairNeedsServer) => {
                refuse(&format!("error: {error}"), &error.to_string())
            }
        }
    }
}

/// Says why nothing is done: the words for people, the message for machines.
fn refuse(words: &str, message: &str) -> ExitCode {
    STDERR.offer(telemetry::said(Level::ERROR, words.trim_end(), message.trim_end(), []));
    ExitCode::from(EXIT_USAGE)
}

/// The log's format as far as it is known before the command line is read: what is wrong with that is a line
/// of it, too.
pub fn log_format() -> LogFormat {
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    log_format_among(args, std::env::var("ORDERMILL_LOG_FORMAT").ok())
}

/// Reads a command line, and what was given in it. A refusal shows no value that may hold a secret.
pub fn parse<T: Parser>(
    args: impl IntoIterator<Item = OsString>,
) -> Result<(T, ArgMatches), Refusal> {
    let matches = T::command().try_get_matches_from(args).map_err(hidden)?;
    let parsed = T::from_arg_matches(&matches).map_err(hidden)?;
    Ok((parsed, matches))
}

fn log_format_among(args: impl IntoIterator<Item = String>, variable: Option<String>) -> LogFormat {
    let mut args = args.into_iter();
    let mut flag = None;
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--log-format") {
            Some("") => flag = args.next(),
            Some(rest) => flag = rest.strip_prefix('=').map(str::to_owned),
            None => {}
        }
    }
    flag.or(variable).and_then(|name| LogFormat::named(name.trim())).unwrap_or_default()
}

/// An error without the values that may hold a secret: an address with a password, as a misspelt flag or in
/// place of another value.
fn hidden(mut error: clap::Error) -> clap::Error {
    const HIDDEN: &str = "[hidden]";
    let hide = |text: &String| match may_hold_secret(text) {
        true => HIDDEN.to_owned(),
        false => text.clone(),
    };
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(hide(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(hide).collect()),
            ContextValue::StyledStr(text) if may_hold_secret(&text.to_string()) => {
                ContextValue::None
            }
            ContextValue::StyledStrs(texts) => {
                let harmless = |text: &StyledStr| !may_hold_secret(&text.to_string());
                ContextValue::StyledStrs(texts.into_iter().filter(harmless).collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::DlqCommand;
    use crate::keys::KeyCommand;
    use clap::CommandFactory;
    use ordermill_domain::access::Role;
    use uuid::Uuid;

    fn parse(line: &str) -> Result<Invocation, Refusal> {
        Invocation::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default() {
        for line in ["ordermill --listen 127.0.0.1:1", "ordermill serve --listen 127.0.0.1:1"] {
            match parse(line) {
                Ok(Invocation::Serve(config)) => assert_eq!(config.listen.port(), 1),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(matches!(parse("ordermill openapi"), Ok(Invocation::OpenApi)));
        assert!(matches!(parse("ordermill asyncapi"), Ok(Invocation::AsyncApi)));
    }

    #[test]
    fn the_demo_takes_a_server_and_a_number() {
        match parse("ordermill demo --url http://127.0.0.1:8080/ --orders 7") {
            Ok(Invocation::Demo(args, _)) => {
                assert_eq!(args.url.as_deref(), Some("http://127.0.0.1:8080"));
                assert_eq!(args.orders, 7);
            }
            other => panic!("{other:?}"),
        }
        for bad in
            ["--orders 0", "--orders 1e9", "--url 127.0.0.1", "--url https://h", "--listen x"]
        {
            assert!(parse(&format!("ordermill demo {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_logs_format_is_known_from_a_command_line_that_is_wrong() {
        let format = |line: &str, variable: Option<&str>| {
            let args = line.split_whitespace().map(str::to_owned);
            log_format_among(args, variable.map(str::to_owned))
        };
        assert_eq!(format("ordermill", None), LogFormat::Plain);
        assert_eq!(format("ordermill --typo", Some("json")), LogFormat::Json);
        assert_eq!(format("ordermill --log-format json --typo", None), LogFormat::Json);
        assert_eq!(format("ordermill --log-format=plain", Some("json")), LogFormat::Plain);
        assert_eq!(format("ordermill --log-format", Some("xml")), LogFormat::Plain);
    }

    #[test]
    fn a_backup_takes_a_directory_and_a_source() {
        match parse("ordermill backup there --url http://h:1/ --data-dir here") {
            Ok(Invocation::Backup(args)) => {
                assert_eq!(args.directory, std::path::Path::new("there"));
                assert_eq!(args.data_dir, std::path::Path::new("here"));
                assert_eq!(args.url.as_deref(), Some("http://h:1"));
            }
            other => panic!("{other:?}"),
        }
        for bad in ["", "a b", "a --url h"] {
            assert!(parse(&format!("ordermill backup {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn actors_are_shown_as_far_as_one_asks() {
        match parse("ordermill actors --url http://h:1/ --depth 1 --status quarantined --watch") {
            Ok(Invocation::Actors(args)) => {
                assert_eq!(
                    (args.url.as_str(), args.depth, args.watch),
                    ("http://h:1", Some(1), true)
                );
                assert_eq!(
                    (args.status.as_deref(), args.kind, args.limit),
                    (Some("quarantined"), None, 5)
                );
            }
            other => panic!("{other:?}"),
        }
        for bad in ["--depth x", "--depth 17", "--limit 0", "--limit 201", "--url h", "saga"] {
            assert!(parse(&format!("ordermill actors {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn dead_letters_are_listed_or_redriven_by_id_or_by_queue() {
        let args = |line: &str| match parse(&format!("ordermill dlq {line}")) {
            Ok(Invocation::Dlq(args)) => args,
            other => panic!("{line}: {other:?}"),
        };
        let listed = DlqCommand::List { queue: None, limit: 50, json: false, discarded: false };
        assert_eq!(args("list --url http://h:1/").url, "http://h:1");
        assert_eq!(args("--url http://h:1 list").command, listed);
        let id = Uuid::from_u128(7);
        let one = DlqCommand::Redrive { id: Some(id), queue: None };
        assert_eq!(args(&format!("redrive {id}")).command, one);
        let all = DlqCommand::Redrive { id: None, queue: Some("order.events".to_owned()) };
        assert_eq!(args("redrive --queue order.events").command, all);
        match args(&format!("discard {id} --reason poison")).command {
            DlqCommand::Discard(discard) => {
                assert_eq!((discard.id, discard.reason.as_str()), (Some(id), "poison"));
            }
            other => panic!("{other:?}"),
        }
        for (line, word) in [
            (&*format!("dlq discard {id}"), "--reason"),
            ("dlq discard --reason poison", "--queue"),
            ("dlq redrive", "--queue"),
            ("dlq redrive xyz", "is a UUID"),
            ("demo --url 127.0.0.1:8080", "such as http://"),
        ] {
            let refusal = parse(&format!("ordermill {line}")).expect_err(line).to_string();
            assert!(refusal.contains(word), "{line}: {refusal}");
        }
        let both = format!("redrive {id} --queue q");
        for bad in ["", "list --limit 0", "redrive", "redrive x", &both, "list --url h"] {
            assert!(parse(&format!("ordermill dlq {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_has_a_role_and_only_that_is_required() {
        let key = |line: &str| match parse(&format!("ordermill keys {line}")) {
            Ok(Invocation::Keys(args)) => args.command,
            other => panic!("{line}: {other:?}"),
        };
        match key("create --role customer --customer anna --expires 90d --data-dir there") {
            KeyCommand::Create(new) => {
                assert_eq!((new.role, new.customer.as_deref()), (Role::Customer, Some("anna")));
                assert_eq!(new.expires.map(|lifetime| lifetime.0.as_secs()), Some(90 * 86_400));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(key("create --role admin"), KeyCommand::Create(_)));
        for (line, word) in [
            ("create", "--role"),
            ("create --role root", "expected one of customer, shop"),
            ("create --role customer", "--customer"),
            ("create --role shop --expires never", "such as 12h or 90d"),
            ("revoke abc", "--reason"),
            ("list --url http://h --data-dir there", "--data-dir"),
        ] {
            let refusal = parse(&format!("ordermill keys {line}")).expect_err(line).to_string();
            assert!(refusal.contains(word), "{line}: {refusal}");
        }
        let refusal =
            parse("ordermill dlq list omk_live_secret").expect_err("a key is no argument");
        assert!(!refusal.to_string().contains("omk_live_secret"), "{refusal}");
    }

    #[test]
    fn a_wrong_setting_is_a_refusal_with_its_name() {
        let refusal = parse("ordermill --plan none").expect_err("there is no such plan");
        assert!(refusal.to_string().contains("ORDERMILL_PLAN (--plan) is `none`"));
    }
}
