//! The settings as they are written: each an environment variable and a flag, with its default and unit.
//!
//! Everything is text here; [`super::Config`] reads it. So one run names every wrong setting, not
//! only the first.

use super::secret::Secret;
use clap::builder::Resettable;
use clap::{Args, FromArgMatches};
use std::ffi::OsString;

/// The settings of `ordermill serve`. An empty value counts as not set.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address and port to serve HTTP on; port 0 takes a free one and says which
    #[arg(long, env = "ORDERMILL_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:8080", help_heading = "Server")]
    pub(super) listen: String,

    /// Names that this server answers to, separated by commas, beside localhost and every IP address: a
    /// request to another name is refused (421)
    #[arg(long, env = "ORDERMILL_HOSTS", value_name = "NAMES")]
    #[arg(default_value = "", help_heading = "Server")]
    pub(super) hosts: String,

    /// Directory of the databases; made when missing, kept across restarts
    #[arg(long, env = "ORDERMILL_DATA_DIR", value_name = "PATH")]
    #[arg(default_value = "./data", help_heading = "Server")]
    pub(super) data_dir: OsString,

    /// PostgreSQL, as postgres://user:password@host:5432/database; each service has a schema of its
    /// own there. Without it (and AMQP_URL) everything is embedded, under the data directory
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) database_url: Option<Secret>,

    /// RabbitMQ, as amqp://user:password@host:5672/vhost
    #[arg(long, env = "AMQP_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) amqp_url: Option<Secret>,

    /// The order service's database, when it is not DATABASE_URL
    #[arg(long, env = "ORDER_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) order_database_url: Option<Secret>,

    /// The inventory service's database
    #[arg(long, env = "INVENTORY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) inventory_database_url: Option<Secret>,

    /// The payment service's database
    #[arg(long, env = "PAYMENT_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) payment_database_url: Option<Secret>,

    /// The simulated gateway's database, when it is not the payment service's
    #[arg(long, env = "GATEWAY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) gateway_database_url: Option<Secret>,

    /// The shipping service's database
    #[arg(long, env = "SHIPPING_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) shipping_database_url: Option<Secret>,

    /// The notification service's database
    #[arg(long, env = "NOTIFICATION_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) notification_database_url: Option<Secret>,

    /// The audit service's database
    #[arg(long, env = "AUDIT_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) audit_database_url: Option<Secret>,

    /// Which services run in this process, as `order,payment`; all when empty. Some of them need
    /// PostgreSQL and RabbitMQ, where they find the others
    #[arg(long, env = "ORDERMILL_SERVICES", value_name = "SERVICES")]
    #[arg(default_value = "", help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) services: String,

    /// How long databases and broker are waited for at start
    #[arg(long, env = "ORDERMILL_STARTUP_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "2m", help_heading = "PostgreSQL and RabbitMQ")]
    pub(super) startup_timeout: String,

    /// How long work under way may take to finish when asked to stop
    #[arg(long, env = "ORDERMILL_SHUTDOWN_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "20s", help_heading = "Server")]
    pub(super) shutdown_timeout: String,

    /// How long an actor may be idle before it leaves memory
    #[arg(long, env = "ORDERMILL_IDLE_AFTER", value_name = "DURATION")]
    #[arg(default_value = "30s", help_heading = "Server")]
    pub(super) idle_after: String,

    /// What is logged: a level, and levels of single modules, as in `info,ordermill_actors=debug`
    #[arg(long, env = "ORDERMILL_LOG", value_name = "FILTER")]
    #[arg(default_value = "info", help_heading = "Server")]
    pub(super) log: String,

    /// How it is logged: `plain` for people, `json` for machines (one object a line)
    #[arg(long, env = "ORDERMILL_LOG_FORMAT", value_name = "plain|json")]
    #[arg(default_value = "plain", help_heading = "Server")]
    pub(super) log_format: String,

    /// Which steps new orders take: `reserve-first` (stock, payment, parcel) or `payment-first`
    #[arg(long, env = "ORDERMILL_PLAN", value_name = "PLAN")]
    #[arg(default_value = "reserve-first", help_heading = "Orders")]
    pub(super) plan: String,

    /// How the steps of new orders find each other: `orchestrated` (the order sends commands) or
    /// `choreographed` (services react to each other's events; always payment first)
    #[arg(long, env = "ORDERMILL_FLOW", value_name = "FLOW")]
    #[arg(default_value = "orchestrated", help_heading = "Orders")]
    pub(super) flow: String,

    /// Dispatch a confirmed order by itself after this long; `off` waits to be asked
    #[arg(long, env = "ORDERMILL_DISPATCH_AFTER", value_name = "DURATION|off")]
    #[arg(default_value = "off", help_heading = "Orders")]
    pub(super) dispatch_after: String,

    /// How long an order may take to be confirmed before it is cancelled and its stock is free again
    #[arg(long, env = "ORDERMILL_ORDER_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "15m", help_heading = "Orders")]
    pub(super) order_timeout: String,

    /// How long a step's answer may take before its command is sent again
    #[arg(long, env = "ORDERMILL_STEP_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "30s", help_heading = "Orders")]
    pub(super) step_timeout: String,

    /// How long undoing an order may take before its saga is FAILED, an alarm for a person
    #[arg(long, env = "ORDERMILL_COMPENSATION_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "1h", help_heading = "Orders")]
    pub(super) compensation_timeout: String,

    /// How often late orders are looked for
    #[arg(long, env = "ORDERMILL_SWEEP_INTERVAL", value_name = "DURATION")]
    #[arg(default_value = "1s", help_heading = "Orders")]
    pub(super) sweep_interval: String,

    /// How long stock movements are kept (GET /inventory/{product_id}/movements); `off` keeps them for good
    #[arg(long, env = "ORDERMILL_MOVEMENTS_RETENTION", value_name = "DURATION|off")]
    #[arg(default_value = "90d", help_heading = "Inventory")]
    pub(super) movements_retention: String,

    /// Share of payments that the simulated gateway declines, 0 to 1
    #[arg(long, env = "PAYMENT_FAILURE_RATE", value_name = "RATE")]
    #[arg(default_value = "0", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_failure_rate: String,

    /// How long the simulated gateway takes to answer
    #[arg(long, env = "PAYMENT_LATENCY", value_name = "DURATION")]
    #[arg(default_value = "0ms", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_latency: String,

    /// How long the gateway's answer is waited for before its outcome counts as unknown
    #[arg(long, env = "PAYMENT_TIMEOUT", value_name = "DURATION")]
    #[arg(default_value = "5s", help_heading = "Payment (simulated gateway)")]
    pub(super) payment_timeout: String,

    /// Share of parcels that the simulated carrier refuses, 0 to 1
    #[arg(long, env = "SHIPPING_FAILURE_RATE", value_name = "RATE")]
    #[arg(default_value = "0", help_heading = "Shipping (simulated carrier)")]
    pub(super) shipping_failure_rate: String,

    /// What a parcel costs before its items, in the order's currency
    #[arg(long, env = "ORDERMILL_SHIPPING_BASE_COST", value_name = "AMOUNT")]
    #[arg(default_value = "5.00", help_heading = "Shipping (simulated carrier)")]
    pub(super) shipping_base_cost: String,

    /// Mail server for customers' e-mail, as smtps://user:password@host:465 or
    /// smtp://user:password@host:587?tls=required; without it no e-mail is sent
    #[arg(long, env = "ORDERMILL_SMTP_URL", value_name = "URL", hide_env_values = true)]
    #[arg(help_heading = "E-mail")]
    pub(super) smtp_url: Option<Secret>,

    /// Sender of customers' e-mail, as `Shop <orders@example.com>`; needed with a mail server
    #[arg(long, env = "ORDERMILL_MAIL_FROM", value_name = "MAILBOX")]
    #[arg(help_heading = "E-mail")]
    pub(super) mail_from: Option<String>,

    /// Text messages to customers who left a number: `log` writes them to the log, in place of a
    /// provider
    #[arg(long, env = "ORDERMILL_SMS", value_name = "log|off")]
    #[arg(default_value = "off", help_heading = "Text messages")]
    pub(super) sms: String,
}

impl ServeArgs {
    /// Every setting as the environment says.
    pub(super) fn from_env() -> Self {
        let command = Self::augment_args(clap::Command::new("environment"));
        let matches = command.get_matches_from(["environment"]);
        Self::from_arg_matches(&matches).expect("every setting is optional or has a default")
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
            order_database_url: own.order_database_url,
            inventory_database_url: own.inventory_database_url,
            payment_database_url: own.payment_database_url,
            gateway_database_url: own.gateway_database_url,
            shipping_database_url: own.shipping_database_url,
            notification_database_url: own.notification_database_url,
            audit_database_url: own.audit_database_url,
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
