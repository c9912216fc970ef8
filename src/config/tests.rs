//! What is accepted, what is refused, and what the refusal says.

use super::*;
use clap::{CommandFactory, Parser};

/// The settings as a command line of their own, deaf to the environment of the test.
#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    args: ServeArgs,
}

fn read(flags: &[&str]) -> Result<Config, ConfigError> {
    use clap::FromArgMatches;
    let command =
        Settings::command().mut_args(|setting| setting.env(clap::builder::Resettable::Reset));
    let matches = command.get_matches_from(std::iter::once(&"ordermill").chain(flags));
    Config::read(&Settings::from_arg_matches(&matches).unwrap().args)
}

fn refusal(flags: &[&str]) -> String {
    read(flags).expect_err("these settings are wrong").to_string()
}

#[test]
fn the_defaults_are_as_documented() {
    let config = read(&[]).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.order.dispatch_after, None);
    assert_eq!(config.order.order_timeout, Duration::from_secs(900));
    assert_eq!(config.order.compensation_timeout, Duration::from_secs(3600));
    assert_eq!(config.order.plan, Plan::ReserveFirst);
    assert_eq!(config.shipping.base_cost_hundredths, 500);
    assert_eq!(config.log, LogConfig { filter: "info".into(), format: LogFormat::Plain });
    assert!(config.smtp.is_none());
    assert!(!config.sms);
}

#[test]
fn text_messages_are_logged_or_off() {
    assert!(read(&["--sms=log"]).unwrap().sms);
    assert!(!read(&["--sms=off"]).unwrap().sms);
    assert!(refusal(&["--sms=pigeon"]).contains("ORDERMILL_SMS (--sms) is `pigeon`"));
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let config = read(&["--listen=", "--order-timeout= ", "--data-dir=", "--smtp-url="]).unwrap();
    assert_eq!(config.listen.port(), 8080);
    assert_eq!(config.order.order_timeout, Duration::from_secs(900));
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert!(config.smtp.is_none());
}

#[test]
fn a_refusal_names_variable_flag_value_and_what_is_accepted() {
    assert_eq!(
        refusal(&["--order-timeout=soon"]),
        "ORDERMILL_ORDER_TIMEOUT (--order-timeout) is `soon`: expected a duration from 10ms to \
         30days, such as 500ms, 30s, 15m or 1h"
    );
    assert_eq!(
        refusal(&["--flow=choreographic"]),
        "ORDERMILL_FLOW (--flow) is `choreographic`: expected `orchestrated` or `choreographed`"
    );
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let message = refusal(&["--payment-failure-rate=2", "--listen=here", "--plan=pay"]);
    assert!(message.starts_with("3 settings are wrong\n"), "{message}");
    for variable in ["PAYMENT_FAILURE_RATE", "ORDERMILL_LISTEN", "ORDERMILL_PLAN"] {
        assert!(message.contains(variable), "{message}");
    }
}

#[test]
fn bad_values_are_refused() {
    for flag in [
        "--order-timeout=0s",
        "--order-timeout=30",
        "--order-timeout=-1s",
        "--order-timeout=99999999999999999999s",
        "--sweep-interval=1h",
        "--dispatch-after=on",
        "--payment-failure-rate=NaN",
        "--payment-failure-rate=-0.1",
        "--shipping-failure-rate=20%",
        "--shipping-base-cost=-1",
        "--hosts=shop.example:8080",
        "--hosts=order,10.0.0.1",
        "--shipping-base-cost=1.005",
        "--listen=localhost",
        "--listen=127.0.0.1:99999",
        "--log=inof",
        "--log=info,,",
        "--log=ordermill=loud",
        "--log-format=xml",
    ] {
        assert!(read(&[flag]).is_err(), "{flag}");
    }
}

#[test]
fn good_values_are_read() {
    let config = read(&[
        "--dispatch-after=0s",
        "--log=info,ordermill_actors=debug",
        "--log-format=json",
        "--plan=payment-first",
        "--payment-latency=250ms",
        "--listen=[::1]:0",
        "--shipping-base-cost=0.5",
    ])
    .unwrap();
    assert_eq!(config.order.dispatch_after, Some(Duration::ZERO));
    assert_eq!(config.order.plan, Plan::PaymentFirst);
    assert_eq!(config.payment.latency, Duration::from_millis(250));
    assert_eq!(config.shipping.base_cost_hundredths, 50);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn a_mail_server_needs_a_sender_and_stays_secret() {
    let url = "--smtp-url=smtp://user:hunter2@localhost:2525";
    assert!(refusal(&[url]).starts_with("ORDERMILL_MAIL_FROM (--mail-from): needed"));
    let config = read(&[url, "--mail-from=Shop <orders@example.com>"]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.smtp.unwrap().from.email.to_string(), "orders@example.com");
    let message = refusal(&["--smtp-url=http://user:hunter2@h", "--mail-from=nobody"]);
    assert!(message.contains("ORDERMILL_SMTP_URL") && message.contains("`nobody`"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn tests_get_a_free_port_and_their_own_directory() {
    let config = Config::for_testing("/somewhere");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.data_dir, PathBuf::from("/somewhere"));
}

#[test]
fn every_setting_is_both_a_variable_and_a_flag() {
    for setting in Settings::command().get_arguments() {
        assert!(setting.get_long().is_some() && setting.get_env().is_some(), "{setting}");
    }
}

#[test]
fn misspelt_variables_are_noticed() {
    let names = ["ORDERMILL_LISTEN", "ORDERMILL_LISTN", "PATH"].map(str::to_owned);
    assert_eq!(unknown_among(names), ["ORDERMILL_LISTN"]);
}
