//! The settings as they are written: each an environment variable and a flag, with its default and unit.
//!
//! Everything is text here; [`super::Config`] reads it. So one run names every wrong setting, not
//! only the first.

use super::database_urls::DatabaseUrls;
use super::effect::Given;
use super::gateways::GatewayArgs;
use super::secret::Secret;
use super::secret_files::{self, SecretFiles};
use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, FromArgMatches};
use ordermill_domain::payment::DEFAULT_METHODS;
use std::ffi::OsString;

/// The settings of `ordermill serve`. An empty value counts as not set.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address and port of the HTTP server; port 0 selects a free port and prints it
    #[arg(long, env = "ORDERMILL_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:8080", help_heading = "Server")]
    pub(super) listen: String,

    /// Accepted host names, separated by commas, in addition to localhost and all IP addresses;
    /// requests for other names are rejected (421)
    #[arg(long, env = "ORDERMILL_HOSTS", value_name = "NAMES")]
    #[arg(default_value = "", help_heading = "Server")]
    pub(super) hosts: String,

    /// Address and port of a second listener that serves the webhooks of payment gateways and /health
    /// alone; the HTTP server then does not serve webhooks. Without it they are served there
    #[arg(long, env = "ORDERMILL_WEBHOOK_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "", help_heading = "Server")]
    pub(super) webhook_listen: String,

    /// Start on an address that other machines can reach although there is no API key: everybody who
    /// reaches it may do everything. Has no effect once a key exists
    #[arg(long, env = "ORDERMILL_INSECURE", value_name = "true|false", help_heading = "Server")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false")]
    pub(super) insecure: String,

    /// PostgreSQL URL of the database of API keys (schema `access`), if not DATABASE_URL. Embedded
    /// servers keep them in the data directory
    #[arg(long, env = "ACCESS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) access_database_url: Option<Secret>,

    /// Directory of the databases; created if missing
    #[arg(long, env = "ORDERMILL_DATA_DIR", value_name = "PATH")]
    #[arg(default_value = "./data", help_heading = "Server")]
    pub(super) data_dir: OsString,

    /// PostgreSQL URL, for example postgres://user:password@host:5432/database; each service has
    /// its own schema. Without DATABASE_URL and AMQP_URL, databases and broker are embedded and
    /// stored in the data directory
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) database_url: Option<Secret>,

    /// RabbitMQ URL, for example amqp://user:password@host:5672/vhost
    #[arg(long, env = "AMQP_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) amqp_url: Option<Secret>,

    /// The databases of single services.
    #[command(flatten)]
    pub(super) databases: DatabaseUrls,

    /// Services to run in this process, for example `order,payment`; empty for all. A subset
    /// requires PostgreSQL and RabbitMQ
    #[arg(long, env = "ORDERMILL_SERVICES", value_name = "SERVICES")]
    #[arg(default_value = "", help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) services: String,

    /// Whether a start brings the schemas on PostgreSQL up to date; with `off` it is refused if one is
    /// behind (`ordermill migrate`)
    #[arg(long, env = "ORDERMILL_MIGRATE", value_name = "on|off")]
    #[arg(default_value = "on", help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) migrate: String,

    /// Maximum time to wait for databases and broker at startup
    #[arg(long, env = "ORDERMILL_STARTUP_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "2m", help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) startup_timeout: String,

    /// Action if the files of the data directory are from different points in time: `refuse` to
    /// start, or `accept` them
    #[arg(long, env = "ORDERMILL_MIXED_FILES", value_name = "refuse|accept")]
    #[arg(default_value = "refuse", help_heading = "Server")]
    pub(super) mixed_files: String,

    /// Time between the signal to stop and the shutdown: /ready responds with 503 while all requests
    /// are still served; for load balancers. A second signal ends it
    #[arg(long, env = "ORDERMILL_DRAIN_DELAY", value_name = "DURATION")]
    #[arg(default_value = "0s", help_heading = "Server")]
    pub(super) drain_delay: String,

    /// Maximum time to finish work in progress on shutdown
    #[arg(long, env = "ORDERMILL_SHUTDOWN_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "20s", help_heading = "Server")]
    pub(super) shutdown_timeout: String,

    /// Idle time after which an actor is unloaded from memory
    #[arg(long, env = "ORDERMILL_IDLE_AFTER", value_name = "DURATION")]
    #[arg(default_value = "30s", help_heading = "Server")]
    pub(super) idle_after: String,

    /// Interval of the background reconciliation, if this process runs all services; `off` disables
    /// it (`ordermill check` still works)
    #[arg(long, env = "ORDERMILL_CHECK_INTERVAL", value_name = "DURATION|off")]
    #[arg(default_value = "2s", help_heading = "Server")]
    pub(super) check_interval: String,

    /// Log level, optionally with levels per module, for example `info,ordermill_actors=debug`
    #[arg(long, env = "ORDERMILL_LOG", value_name = "FILTER")]
    #[arg(default_value = "info", help_heading = "Server")]
    pub(super) log: String,

    /// Log format: `plain`, or `json` with one object per line
    #[arg(long, env = "ORDERMILL_LOG_FORMAT", value_name = "plain|json")]
    #[arg(default_value = "plain", help_heading = "Server")]
    pub(super) log_format: String,

    /// Step order of new orders: `reserve-first` (stock, payment, shipment) or `payment-first`
    #[arg(long, env = "ORDERMILL_PLAN", value_name = "PLAN")]
    #[arg(default_value = "reserve-first", help_heading = "Orders")]
    pub(super) plan: String,

    /// Saga coordination of new orders: `orchestrated` (the order service sends commands) or
    /// `choreographed` (services react to events of other services; always payment first)
    #[arg(long, env = "ORDERMILL_FLOW", value_name = "FLOW")]
    #[arg(default_value = "orchestrated", help_heading = "Orders")]
    pub(super) flow: String,

    /// Dispatch confirmed orders automatically after this time; `off` waits for a request
    #[arg(long, env = "ORDERMILL_DISPATCH_AFTER", value_name = "DURATION|off")]
    #[arg(default_value = "off", help_heading = "Orders")]
    pub(super) dispatch_after: String,

    /// Maximum time until an order is confirmed; after it the order is cancelled and its stock
    /// released
    #[arg(long, env = "ORDERMILL_ORDER_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "15m", help_heading = "Orders")]
    pub(super) order_timeout: String,

    /// Time to wait for the reply of a step before its command is sent again
    #[arg(long, env = "ORDERMILL_STEP_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "30s", help_heading = "Orders")]
    pub(super) step_timeout: String,

    /// Maximum time of a compensation; after it the saga is FAILED and needs an operator
    #[arg(long, env = "ORDERMILL_COMPENSATION_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "1h", help_heading = "Orders")]
    pub(super) compensation_timeout: String,

    /// Interval of the search for overdue orders
    #[arg(long, env = "ORDERMILL_SWEEP_INTERVAL", value_name = "DURATION")]
    #[arg(default_value = "1s", help_heading = "Orders")]
    pub(super) sweep_interval: String,

    /// Accepted payment methods of new orders, separated by commas; `test_*` means all test methods
    /// of the simulated gateway. Existing orders keep their method
    #[arg(long, env = "ORDERMILL_PAYMENT_METHODS", value_name = "METHODS")]
    #[arg(default_value = DEFAULT_METHODS, help_heading = "Orders")]
    pub(super) payment_methods: String,

    /// Retention of stock movements (GET /inventory/{product_id}/movements); `off` keeps them
    /// forever
    #[arg(long, env = "ORDERMILL_MOVEMENTS_RETENTION", value_name = "DURATION|off")]
    #[arg(default_value = "90d", help_heading = "Inventory")]
    pub(super) movements_retention: String,

    /// The payment gateways.
    #[command(flatten)]
    pub(super) gateways: GatewayArgs,

    /// Fraction of payments declined by the simulated gateway, 0 to 1
    #[arg(long, env = "PAYMENT_FAILURE_RATE", value_name = "RATE")]
    #[arg(default_value = "0", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_failure_rate: String,

    /// Response time of the simulated gateway
    #[arg(long, env = "PAYMENT_LATENCY", value_name = "DURATION")]
    #[arg(default_value = "0ms", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_latency: String,

    /// Gateway timeout; after it the outcome of the request is unknown
    #[arg(long, env = "PAYMENT_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "5s", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_timeout: String,

    /// Whether the pages of the simulated gateway are served, at which customers pay without money:
    /// `auto` serves them if ORDERMILL_LISTEN is a loopback address
    #[arg(long, env = "ORDERMILL_SIMULATED_PAGES", value_name = "auto|true|false")]
    #[arg(default_value = "auto", help_heading = "Payment (simulated gateway)")]
    pub(super) simulated_pages: String,

    /// Fraction of shipments refused by the simulated carrier, 0 to 1
    #[arg(long, env = "SHIPPING_FAILURE_RATE", value_name = "RATE")]
    #[arg(default_value = "0", help_heading = "Shipping (simulated carrier)")]
    pub(super) shipping_failure_rate: String,

    /// Base shipping cost, in the currency of the order
    #[arg(long, env = "ORDERMILL_SHIPPING_BASE_COST", value_name = "AMOUNT")]
    #[arg(default_value = "5.00", help_heading = "Shipping (simulated carrier)")]
    pub(super) shipping_base_cost: String,

    /// SMTP URL for e-mail to customers, for example smtps://user:password@host:465 or
    /// smtp://user:password@host:587?tls=required; without it no e-mail is sent
    #[arg(long, env = "ORDERMILL_SMTP_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "E-mail")]
    pub(super) smtp_url: Option<Secret>,

    /// Sender of e-mail to customers, for example `Shop <orders@example.com>`; required with a mail
    /// server
    #[arg(long, env = "ORDERMILL_MAIL_FROM", value_name = "MAILBOX")]
    #[arg(help_heading = "E-mail")]
    pub(super) mail_from: Option<String>,

    /// Text messages to customers with a telephone number: `log` writes them to the log instead of
    /// sending them
    #[arg(long, env = "ORDERMILL_SMS", value_name = "log|off")]
    #[arg(default_value = "off", help_heading = "Text messages")]
    pub(super) sms: String,

    /// Files of the secrets above. Stays behind them: it adds a setting for each.
    #[command(flatten)]
    pub(super) secret_files: SecretFiles,

    /// Which of these somebody has set, by their fields.
    #[arg(skip)]
    pub(super) given: Given,

    /// What is to be said of secrets on the command line, a line each.
    #[arg(skip)]
    pub(super) exposed: Vec<String>,
}

impl ServeArgs {
    /// Every setting as the environment says.
    pub(super) fn from_env() -> Self {
        let command = Self::augment_args(clap::Command::new("environment"));
        Self::given_in(&command.get_matches_from(["environment"]))
    }

    /// Every setting as the command line and the environment say.
    pub fn given_in(matches: &ArgMatches) -> Self {
        let args =
            Self::from_arg_matches(matches).expect("every setting is optional or has a default");
        let is_given = |field: &&str| {
            let source = matches.value_source(field);
            let set = [Some(ValueSource::CommandLine), Some(ValueSource::EnvVariable)];
            // An empty value counts as not set.
            let mut values = matches.get_raw(field).into_iter().flatten();
            set.contains(&source) && values.any(|value| !value.to_string_lossy().trim().is_empty())
        };
        let settings = Self::augment_args(clap::Command::new("settings"));
        let fields = settings.get_arguments().map(|setting| setting.get_id().as_str());
        let given = fields.filter(is_given).map(str::to_owned).collect();
        let is_exposed = |setting: &&Arg| {
            let source = matches.value_source(setting.get_id().as_str());
            secret_files::holds_secret(setting) && source == Some(ValueSource::CommandLine)
        };
        let exposed = settings.get_arguments().filter(is_exposed).map(secret_files::exposed);
        Self { given, exposed: exposed.collect(), ..args }
    }

    /// True when a secret is in a file.
    pub fn has_secret_files(&self) -> bool {
        !self.secret_files.is_empty()
    }

    /// The environment variables of all settings.
    pub(super) fn variables() -> Vec<String> {
        let settings = Self::augment_args(clap::Command::new("settings"));
        let variables = settings.get_arguments().filter_map(|setting| setting.get_env());
        variables.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// The defaults, but for a free port, little logging, and waits short enough for a test.
    pub(super) fn for_testing() -> Self {
        Self {
            listen: "127.0.0.1:0".into(),
            log: "warn".into(),
            sweep_interval: "100ms".into(),
            step_timeout: "2s".into(),
            payment_timeout: "300ms".into(),
            ..Self::defaults()
        }
    }

    /// Other settings, on these servers.
    pub(super) fn servers_of(&self, others: Self) -> Self {
        let own = self.clone();
        Self {
            database_url: own.database_url,
            amqp_url: own.amqp_url,
            databases: own.databases,
            secret_files: own.secret_files.of(is_server_url),
            access_database_url: own.access_database_url,
            ..others
        }
    }

    /// Every setting at its default, whatever the environment says.
    pub fn defaults() -> Self {
        let command = Self::augment_args(clap::Command::new("defaults"))
            .mut_args(|setting| setting.env(Resettable::Reset));
        let matches = command.get_matches_from(["defaults"]);
        Self::from_arg_matches(&matches).expect("every setting is optional or has a default")
    }
}

/// True for the URLs of PostgreSQL and RabbitMQ.
pub(super) fn is_server_url(field: &str) -> bool {
    field == "amqp_url" || field.ends_with("database_url")
}
