//! The URL of each database: one setting for every database in the list of the services.

use super::secret::Secret;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use ordermill_actors::registry::{DATABASE_NAMES, DATABASE_OWNERS};
use ordermill_domain::ids::ServiceName;
use std::sync::LazyLock;

/// The setting of one database.
pub(super) struct DatabaseSetting {
    /// The database's name.
    pub(super) database: &'static str,
    /// Whose it is.
    pub(super) owner: ServiceName,
    /// The name that the setting is read by.
    pub(super) field: String,
    flag: String,
    variable: String,
}

/// The settings, one for each database.
pub(super) static SETTINGS: LazyLock<Vec<DatabaseSetting>> = LazyLock::new(|| {
    let databases = DATABASE_NAMES.into_iter().zip(DATABASE_OWNERS);
    let setting = |(database, owner): (&'static str, ServiceName)| DatabaseSetting {
        database,
        owner,
        field: format!("{database}_database_url"),
        flag: format!("{database}-database-url"),
        variable: format!("{}_DATABASE_URL", database.to_uppercase()),
    };
    databases.map(setting).collect()
});

/// The URLs as they are written, in the order of [`SETTINGS`].
#[derive(Clone, Debug)]
pub struct DatabaseUrls(pub(super) Vec<Option<Secret>>);

impl DatabaseSetting {
    fn arg(&'static self) -> Arg {
        let Self { database, owner, .. } = self;
        let help = match *database == owner.as_str() {
            true => format!("Database of the {database} service, if not DATABASE_URL"),
            false => {
                format!(
                    "Database of the simulated {database}, if not the database of the {owner} service"
                )
            }
        };
        Arg::new(self.field.as_str())
            .long(self.flag.as_str())
            .env(self.variable.as_str())
            .hide_env_values(true)
            .value_name("URL")
            .value_parser(value_parser!(Secret))
            .help_heading("PostgreSQL and RabbitMQ")
            .help(help)
    }
}

impl Args for DatabaseUrls {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().map(DatabaseSetting::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for DatabaseUrls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let url = |setting: &DatabaseSetting| matches.get_one(&setting.field).cloned();
        Ok(Self(SETTINGS.iter().map(url).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
