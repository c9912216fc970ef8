//! Settings that contradict each other, and settings that have no effect in this process.
//!
//! Only what somebody has set counts, on the command line or in the environment: defaults neither
//! contradict anything nor miss an effect.

use super::args::ServeArgs;
use super::database_urls::SETTINGS;
use super::infrastructure::Infrastructure;
use super::reader::{Reader, variable_of};
use super::secret_files::setting_of;
use super::{Config, OrderConfig};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Flow, Plan};
use std::collections::BTreeSet;

/// An unknown variable that differs from a setting by so many letters at the most is taken for a slip of
/// the pen.
const SLIPS_MAX: usize = 3;

/// The settings that somebody has set, by their fields in [`ServeArgs`].
pub(super) type Given = BTreeSet<String>;

/// Refuses settings that cannot both be meant.
pub(super) fn contradictions(read: &mut Reader, given: &Given, order: &OrderConfig) {
    let both = given.contains("flow") && given.contains("plan");
    if both && order.flow == Flow::Choreographed && order.plan == Plan::ReserveFirst {
        read.refuse(
            "plan",
            Some("reserve-first"),
            "conflicts with ORDERMILL_FLOW (--flow) `choreographed`, which always uses \
             payment-first; remove one of them, or set `payment-first`",
        );
    }
}

/// The settings that have no effect, in one line; None where all have one.
pub(super) fn without_effect(given: &Given, config: &Config) -> Option<String> {
    line(given.iter().filter_map(|field| Some((field.as_str(), why(field, config)?))))
}

/// The same for a command that starts a server with settings of its own.
pub(super) fn overridden(given: &Given, fields: impl Fn(&str) -> bool, by: &str) -> Option<String> {
    let why = format!("set by `{by}` itself");
    let overridden = given.iter().map(String::as_str).filter(|field| fields(field));
    line(overridden.map(|field| (field, why.clone())))
}

fn line<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> Option<String> {
    let named: Vec<_> =
        fields.map(|(field, why)| format!("{} ({why})", variable_of(field))).collect();
    (!named.is_empty()).then(|| format!("settings without effect: {}", named.join(", ")))
}

/// Why a setting has no effect; None where it has one.
fn why(field: &str, config: &Config) -> Option<String> {
    let runs = |service| config.services.contains(&service);
    let missing = |service: ServiceName| {
        (!runs(service)).then(|| format!("the {service} service does not run in this process"))
    };
    let servers = match &config.infrastructure {
        Infrastructure::Servers(servers) => Some(servers),
        Infrastructure::Embedded => None,
    };
    match setting_of(field) {
        "data_dir" => servers.map(|_| "the databases are on PostgreSQL".to_owned()),
        "startup_timeout" | "migrate" if servers.is_none() => {
            Some("the databases and the broker are embedded".to_owned())
        }
        "database_url" => {
            let own = |name: &ServiceName| {
                servers
                    .is_some_and(|servers| servers.own.iter().any(|(own, _)| *own == name.as_str()))
            };
            let why = "every service in this process has its own database URL";
            config.services.iter().all(own).then(|| why.to_owned())
        }
        "flow"
        | "plan"
        | "dispatch_after"
        | "order_timeout"
        | "step_timeout"
        | "compensation_timeout"
        | "sweep_interval"
        | "payment_methods" => missing(ServiceName::Order),
        "idle_after" => missing(ServiceName::Order)
            .and(missing(ServiceName::Payment))
            .map(|_| "neither the order nor the payment service runs in this process".to_owned()),
        "gateways" | "payment_window" => missing(ServiceName::Order)
            .and(missing(ServiceName::Payment))
            .map(|_| "neither the order nor the payment service runs in this process".to_owned()),
        "payment_failure_rate" | "payment_latency" | "payment_timeout" | "simulated_pages" => {
            missing(ServiceName::Payment)
        }
        "midtrans_server_key" => missing(ServiceName::Payment),
        midtrans if midtrans.starts_with("midtrans_") => {
            let is_unset = config.gateways.midtrans.is_none();
            let unset = is_unset.then(|| "MIDTRANS_SERVER_KEY is not set".to_owned());
            missing(ServiceName::Payment).or(unset)
        }
        "shipping_failure_rate" | "shipping_base_cost" => missing(ServiceName::Shipping),
        "mail_from" if config.smtp.is_none() => Some("ORDERMILL_SMTP_URL is not set".to_owned()),
        "smtp_url" | "mail_from" | "sms" => missing(ServiceName::Notification),
        field => {
            let setting = SETTINGS.iter().find(|setting| setting.field == field)?;
            missing(setting.owner)
        }
    }
}

/// What is to be said of a variable of the environment that looks like a setting and is none.
pub(super) fn unknown(name: &str) -> Option<String> {
    let settings = ServeArgs::variables();
    // These are read by the other commands and by the scripts.
    let others = name == "ORDERMILL_URL"
        || name.starts_with("ORDERMILL_OBSERVE_")
        || name == "ORDERMILL_API_KEY"
        || name.starts_with("ORDERMILL_STACK_")
        || name.starts_with("ORDERMILL_TEST_");
    if others || settings.iter().any(|known| known == name) {
        return None;
    }
    let distance = |known: &String| strsim::damerau_levenshtein(name, known);
    let near = settings.iter().min_by_key(|known| distance(known));
    let near = near.filter(|known| distance(known) <= SLIPS_MAX);
    // Without our prefix it may be somebody else's, unless it is nearly one of ours.
    match near {
        Some(known) => Some(format!("unknown setting {name}; did you mean {known}?")),
        None if name.starts_with("ORDERMILL_") => {
            Some(format!("unknown setting {name}; `ordermill --help` lists all settings"))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_told_with_the_one_that_was_meant() {
        assert_eq!(
            unknown("ORDERMILL_LISTN").unwrap(),
            "unknown setting ORDERMILL_LISTN; did you mean ORDERMILL_LISTEN?"
        );
        assert!(unknown("AMQP_URI").unwrap().ends_with("did you mean AMQP_URL?"));
        assert!(unknown("ORDERMILL_TEAPOT").unwrap().contains("--help"));
        for name in [
            "ORDERMILL_LISTEN",
            "ORDERMILL_URL",
            "ORDERMILL_API_KEY",
            "ORDERMILL_TEST_BINARY",
            "PATH",
            "PGHOST",
        ] {
            assert_eq!(unknown(name), None, "{name}");
        }
    }
}
