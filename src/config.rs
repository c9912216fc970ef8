//! What the server is set up to do: read once at start, checked whole, then only passed on.
//!
//! ```text
//! environment, flags ──▶ ServeArgs (text) ──▶ Config (typed) ──▶ the parts that are told
//! ```

mod address;
mod args;
mod database_urls;
mod effect;
mod gateways;
mod infrastructure;
mod reader;
mod secret;
mod secret_files;
#[cfg(test)]
mod tests;

pub use address::{DATABASE, Kind};
pub use args::ServeArgs;
pub use gateways::GatewayConfig;
pub use infrastructure::{Infrastructure, Servers};
pub use reader::{ConfigError, Problem};
pub use secret::{Secret, may_hold_secret};

pub use crate::host::Hosts;
use address::MAIL;
use args::is_server_url;
use lettre::message::Mailbox;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::PaymentMethods;
use reader::Reader;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Below this a timer only burns time: a batch takes milliseconds to reach the disk.
const TIMER_SHORTEST: Duration = Duration::from_millis(10);
/// No order is waited for longer than a month; what is longer is a slip of the pen.
const TIMER_LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Within these bounds lies every deadline and interval.
const TIMER: [Duration; 2] = [TIMER_SHORTEST, TIMER_LONGEST];
/// Late orders are looked for at least once a minute, or their deadlines would mean nothing.
const SWEEP: [Duration; 2] = [TIMER_SHORTEST, Duration::from_secs(60)];
/// Load balancers ask every few seconds. Longer than ten minutes no orchestrator waits for an end.
const DRAIN: [Duration; 2] = [Duration::ZERO, Duration::from_secs(600)];
/// A gateway that takes longer than ten minutes is no gateway worth simulating.
const GATEWAY: [Duration; 2] = [Duration::ZERO, Duration::from_secs(600)];

/// How long a page of the demo's own server can be paid at: the demo waits for the end of some, and its customers are
/// quick.
const DEMO_PAYMENT_WINDOW: Duration = Duration::from_secs(4);

/// Movements are kept for an hour at least, or nobody could read them. More than ten years are `off`.
const MOVEMENTS_KEPT: [Duration; 2] =
    [Duration::from_secs(60 * 60), Duration::from_secs(10 * 366 * 24 * 60 * 60)];

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP is served; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where webhooks of payment gateways are served apart from everything else; port 0 takes a free one. None:
    /// at `listen`.
    pub webhook_listen: Option<SocketAddr>,
    /// Names that are answered to beside IP addresses and `localhost`.
    pub hosts: Hosts,
    /// PostgreSQL for the API keys, where a setting names one.
    pub access_database: Option<Secret>,
    /// Whether everybody is let in while there is no API key, although other machines can reach the server.
    pub insecure: bool,
    /// Which services run in this process.
    pub services: BTreeSet<ServiceName>,
    /// What stands behind them.
    pub infrastructure: Infrastructure,
    /// Whether a start brings the schemas on PostgreSQL up to date. If not, one that is behind is refused.
    pub migrates: bool,
    /// How long databases and broker are waited for at start.
    pub startup_timeout: Duration,
    /// Where the embedded databases are.
    pub data_dir: PathBuf,
    /// Whether a data directory whose files are of different moments is taken as it is.
    pub accepts_mixed_files: bool,
    /// How long requests are still served after it was asked to stop.
    pub drain_delay: Duration,
    /// How long work under way may take to finish when asked to stop.
    pub shutdown_timeout: Duration,
    /// How long an actor may be idle before it leaves memory.
    pub idle_after: Duration,
    /// How often some orders are reconciled in the background. None: never.
    pub check_interval: Option<Duration>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// What becomes of orders.
    pub order: OrderConfig,
    /// Stock.
    pub inventory: InventoryConfig,
    /// The payment gateways.
    pub gateways: GatewayConfig,
    /// The simulated payment gateway.
    pub payment: PaymentConfig,
    /// The simulated carrier.
    pub shipping: ShippingConfig,
    /// The mail server, when there is one.
    pub smtp: Option<SmtpConfig>,
    /// Whether customers are told by text message.
    pub sms: bool,
    /// What whoever started it should know of these settings, a line each: settings without effect,
    /// variables that look like settings and are none.
    pub notices: Vec<String>,
    /// The settings as they were written, to read files of secrets again.
    pub written: Box<ServeArgs>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Levels, as in `info,ordermill_actors=debug`. Already checked.
    pub filter: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// For whom log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Plain,
    /// For machines: one JSON object a line.
    Json,
}

impl LogFormat {
    /// A format by its name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "plain" => Some(Self::Plain),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What becomes of orders. Flow and plan are stored on each order: a change concerns new ones only.
#[derive(Clone, Debug)]
pub struct OrderConfig {
    /// How the steps of an order find each other.
    pub flow: Flow,
    /// In which order the steps are taken.
    pub plan: Plan,
    /// The payment methods that new orders may name.
    pub payment_methods: PaymentMethods,
    /// When a confirmed order is dispatched by itself; none waits to be asked.
    pub dispatch_after: Option<Duration>,
    /// How long an order may take to be confirmed before it is cancelled.
    pub order_timeout: Duration,
    /// How long a step's answer may take before its command is sent again.
    pub step_timeout: Duration,
    /// How long undoing may take before the saga is FAILED.
    pub compensation_timeout: Duration,
    /// How often late orders are looked for.
    pub sweep_interval: Duration,
}

/// Stock.
#[derive(Clone, Debug)]
pub struct InventoryConfig {
    /// How long stock movements are kept; none: for good.
    pub movements_kept: Option<Duration>,
}

/// The simulated payment gateway.
#[derive(Clone, Debug)]
pub struct PaymentConfig {
    /// The share of payments that is declined, 0 to 1.
    pub failure_rate: f64,
    /// How long the gateway takes to answer.
    pub latency: Duration,
    /// How long its answer is waited for before the outcome counts as unknown.
    pub timeout: Duration,
    /// Whether its pages are served. None: on a loopback address only.
    pub serves_pages: Option<bool>,
}

/// The simulated carrier.
#[derive(Clone, Debug)]
pub struct ShippingConfig {
    /// The share of parcels that is refused, 0 to 1.
    pub failure_rate: f64,
    /// What a parcel costs before its items, in hundredths of the order's currency unit.
    pub base_cost_hundredths: i64,
}

/// The mail server.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Where it is and how to log in; checked to be one that the mail client takes.
    pub url: Secret,
    /// Who the mail is from.
    pub from: Mailbox,
}

impl Config {
    /// Reads the settings; the error names every wrong one.
    pub fn read(args: &ServeArgs) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(&args.secret_files);
        let read = &mut reader;
        let listen = read
            .parsed("listen", &args.listen, LISTEN_ACCEPTED, |text| text.parse().ok().map(Some));
        let services = infrastructure::services(read, args);
        let mut config = Self {
            notices: Vec::new(),
            written: Box::new(args.clone()),
            infrastructure: Infrastructure::read(read, args, &services),
            gateways: GatewayConfig::read(read, args, &services),
            services,
            migrates: read.parsed("migrate", &args.migrate, "expected `on` or `off`", |text| {
                match text {
                    "on" => Some(true),
                    "off" => Some(false),
                    _ => None,
                }
            }),
            startup_timeout: read.duration("startup_timeout", &args.startup_timeout, TIMER),
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            webhook_listen: read.parsed(
                "webhook_listen",
                &args.webhook_listen,
                LISTEN_ACCEPTED,
                |text| match text {
                    "" => Some(None),
                    text => text.parse().ok().map(Some),
                },
            ),
            access_database: address::read(
                read,
                "access_database_url",
                &args.access_database_url,
                &DATABASE,
            ),
            insecure: read.parsed(
                "insecure",
                &args.insecure,
                "expected `true` or `false`",
                |text| text.parse().ok(),
            ),
            hosts: read.parsed("hosts", &args.hosts, HOSTS_ACCEPTED, Hosts::parse),
            data_dir: match args.data_dir.is_empty() {
                true => ServeArgs::defaults().data_dir.into(),
                false => args.data_dir.clone().into(),
            },
            accepts_mixed_files: read.parsed(
                "mixed_files",
                &args.mixed_files,
                "expected `refuse` or `accept`",
                |text| match text {
                    "refuse" => Some(false),
                    "accept" => Some(true),
                    _ => None,
                },
            ),
            drain_delay: read.duration("drain_delay", &args.drain_delay, DRAIN),
            shutdown_timeout: read.duration("shutdown_timeout", &args.shutdown_timeout, TIMER),
            idle_after: read.duration("idle_after", &args.idle_after, TIMER),
            check_interval: read.duration_or_off(
                "check_interval",
                &args.check_interval,
                [TIMER_SHORTEST, TIMER_LONGEST],
            ),
            log: LogConfig::read(read, args),
            order: OrderConfig::read(read, args),
            inventory: InventoryConfig {
                movements_kept: read.duration_or_off(
                    "movements_retention",
                    &args.movements_retention,
                    MOVEMENTS_KEPT,
                ),
            },
            payment: PaymentConfig {
                failure_rate: read.rate("payment_failure_rate", &args.payment_failure_rate),
                latency: read.duration("payment_latency", &args.payment_latency, GATEWAY),
                timeout: read.duration("payment_timeout", &args.payment_timeout, TIMER),
                serves_pages: read.parsed(
                    "simulated_pages",
                    &args.simulated_pages,
                    "expected `auto`, `true` or `false`",
                    |text| match text {
                        "auto" => Some(None),
                        "true" => Some(Some(true)),
                        "false" => Some(Some(false)),
                        _ => None,
                    },
                ),
            },
            shipping: ShippingConfig::read(read, args),
            smtp: SmtpConfig::read(read, args),
            sms: read.parsed("sms", &args.sms, "expected `log` or `off`", |text| match text {
                "log" => Some(true),
                "off" => Some(false),
                _ => None,
            }),
        };
        effect::contradictions(read, &args.given, &config.order);
        config.gateways.check(read, args, &config.order);
        let without_effect = effect::without_effect(&args.given, &config);
        config.notices = without_effect.into_iter().collect();
        config.notices.extend(config.gateways.notice(&config.order));
        config.notices.extend(args.exposed.iter().cloned());
        config.notices.extend(config.insecure.then(|| INSECURE.to_owned()));
        reader.finish(config)
    }

    /// Whether the pages of the simulated gateway are served.
    pub fn serves_simulated_pages(&self) -> bool {
        self.payment.serves_pages.unwrap_or_else(|| self.listen.ip().is_loopback())
    }

    /// The defaults in a data directory of one's own, whatever the environment says: a free port,
    /// little logging, and waits short enough for a test.
    pub fn for_testing(data_dir: impl Into<PathBuf>) -> Self {
        let args =
            ServeArgs { data_dir: data_dir.into().into_os_string(), ..ServeArgs::for_testing() };
        Self::read(&args).expect("the defaults and what is set here are accepted")
    }

    /// The databases that the environment names, or those of a data directory.
    pub fn for_check(data_dir: Option<OsString>) -> Result<Self, ConfigError> {
        Self::read(&match data_dir {
            Some(data_dir) => ServeArgs { data_dir, ..ServeArgs::defaults() },
            None => ServeArgs::from_env(),
        })
    }

    /// The settings that the environment names.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&ServeArgs::from_env())
    }

    /// The same settings with the files of secrets read again.
    pub fn reread(&self) -> Result<Self, ConfigError> {
        Self::read(&self.written)
    }

    /// The same with the infrastructure, the flow, the plan and the patience at start that the environment
    /// names.
    pub fn for_demo() -> Result<Self, ConfigError> {
        let environment = ServeArgs::from_env();
        let is_taken = |field: &str| {
            matches!(field, "flow" | "plan" | "startup_timeout" | "migrate")
                || is_server_url(secret_files::setting_of(field))
        };
        let overridden = effect::overridden(&environment.given, |field| !is_taken(field), "demo");
        let given = environment.given.iter().filter(|field| is_taken(field)).cloned().collect();
        let mut config = Self::read(&ServeArgs {
            flow: environment.flow.clone(),
            plan: environment.plan.clone(),
            startup_timeout: environment.startup_timeout.clone(),
            migrate: environment.migrate.clone(),
            given,
            ..environment.servers_of(ServeArgs::for_testing())
        })?;
        config.gateways.payment_window = Some(DEMO_PAYMENT_WINDOW);
        config.notices.extend(overridden);
        config.notices.extend(unknown_variables());
        Ok(config)
    }

    /// The same for a benchmark, which starts its server as a process of its own: that one has all settings
    /// of the environment but a few, and gives its own notices.
    pub fn for_bench() -> Result<Self, ConfigError> {
        let environment = ServeArgs::from_env();
        let config = Self::for_demo()?;
        let is_set_anew = |field: &str| match field {
            "listen" | "dispatch_after" => true,
            "data_dir" => config.infrastructure == Infrastructure::Embedded,
            _ => false,
        };
        let overridden = effect::overridden(&environment.given, is_set_anew, "bench");
        Ok(Self { notices: overridden.into_iter().collect(), ..config })
    }
}

const LISTEN_ACCEPTED: &str =
    "expected an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";

const INSECURE: &str = "ORDERMILL_INSECURE (--insecure) is set: while there is no API key, whoever can reach \
     this server may do everything";

const HOSTS_ACCEPTED: &str = "expected host names without a port, separated by commas, such as \
     `shop.example,order` (IP addresses and localhost are always accepted)";

const METHODS_ACCEPTED: &str = "expected names of letters, digits, `_`, `-` and `.`, separated by \
     commas, such as `credit_card,paypal`; names that begin with `test_` must be test methods of \
     the simulated gateway, or `test_*` for all of them";

impl LogConfig {
    fn read(read: &mut Reader, args: &ServeArgs) -> Self {
        let accepted = "expected a level (error, warn, info, debug, trace, off) or a list such as \
                        `info,ordermill_actors=debug`";
        let format = read.parsed(
            "log_format",
            &args.log_format,
            "expected `plain` or `json`",
            LogFormat::named,
        );
        Self { filter: read.parsed("log", &args.log, accepted, log_filter), format }
    }
}

/// A filter that says what it seems to say. The filter itself takes any bare word for the name of
/// a module, so that a mistyped level would silence everything without a word.
fn log_filter(text: &str) -> Option<String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let is_level = |word: &str| LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    let clear = text.split(',').all(|part| part.contains(['=', '[']) || is_level(part.trim()));
    (clear && EnvFilter::builder().parse(text).is_ok()).then(|| text.to_owned())
}

impl OrderConfig {
    fn read(read: &mut Reader, args: &ServeArgs) -> Self {
        let plan = read.parsed(
            "plan",
            &args.plan,
            "expected `reserve-first` or `payment-first`",
            |text| match text {
                "reserve-first" => Some(Plan::ReserveFirst),
                "payment-first" => Some(Plan::PaymentFirst),
                _ => None,
            },
        );
        let flow =
            read.parsed("flow", &args.flow, "expected `orchestrated` or `choreographed`", |text| {
                [Flow::Orchestrated, Flow::Choreographed].into_iter().find(|f| f.as_str() == text)
            });
        let payment_methods = read.parsed(
            "payment_methods",
            &args.payment_methods,
            METHODS_ACCEPTED,
            PaymentMethods::parse,
        );
        Self {
            flow,
            plan,
            payment_methods,
            dispatch_after: read.duration_or_off(
                "dispatch_after",
                &args.dispatch_after,
                [Duration::ZERO, TIMER_LONGEST],
            ),
            order_timeout: read.duration("order_timeout", &args.order_timeout, TIMER),
            step_timeout: read.duration("step_timeout", &args.step_timeout, TIMER),
            compensation_timeout: read.duration(
                "compensation_timeout",
                &args.compensation_timeout,
                TIMER,
            ),
            sweep_interval: read.duration("sweep_interval", &args.sweep_interval, SWEEP),
        }
    }
}

impl ShippingConfig {
    fn read(read: &mut Reader, args: &ServeArgs) -> Self {
        let accepted = "expected an amount with at most two decimals, such as 5.00";
        let base_cost_hundredths =
            read.parsed("shipping_base_cost", &args.shipping_base_cost, accepted, |text| {
                // Any currency with two decimals reads hundredths.
                let amount = Money::parse(text, Currency::USD).ok()?;
                (amount.minor >= 0).then_some(amount.minor)
            });
        let failure_rate = read.rate("shipping_failure_rate", &args.shipping_failure_rate);
        Self { failure_rate, base_cost_hundredths }
    }
}

impl SmtpConfig {
    fn read(read: &mut Reader, args: &ServeArgs) -> Option<Self> {
        let url = address::read(read, "smtp_url", &args.smtp_url, &MAIL)?;
        let from = args.mail_from.as_deref().map(str::trim).filter(|from| !from.is_empty());
        match from.map(str::parse::<Mailbox>) {
            Some(Ok(from)) => return Some(Self { url, from }),
            Some(Err(_)) => read.refuse("mail_from", from, MAIL_FROM_ACCEPTED),
            None => read.refuse("mail_from", None, MAIL_FROM_MISSING),
        }
        None
    }
}

const MAIL_FROM_ACCEPTED: &str =
    "expected a mailbox, such as `Shop <orders@example.com>` or orders@example.com";
const MAIL_FROM_MISSING: &str =
    "required with ORDERMILL_SMTP_URL; expected a mailbox such as `Shop <orders@example.com>`";

/// What is to be said of variables of the environment that look like settings and are none.
pub fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter_map(|name| effect::unknown(&name)).collect()
}
