//! What is accepted, what is refused, and what the refusal says.

mod secrets;

use super::*;
use clap::{CommandFactory, Parser};
use ordermill_domain::payment::GatewayRoutes;

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
    assert!(Settings::from_arg_matches(&matches).is_ok());
    // That secrets are on a command line here is no matter of these tests.
    Config::read(&ServeArgs { exposed: Vec::new(), ..ServeArgs::given_in(&matches) })
}

fn refusal(flags: &[&str]) -> String {
    read(flags).expect_err("these settings are invalid").to_string()
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
fn simulated_pages_are_served_on_loopback_unless_set_otherwise() {
    for (args, served) in [
        (&["--listen=127.0.0.1:80"] as &[_], true),
        (&["--listen=[::1]:80"], true),
        (&["--listen=0.0.0.0:80"], false),
        (&["--listen=192.0.2.1:80"], false),
        (&["--listen=0.0.0.0:80", "--simulated-pages=true"], true),
        (&["--listen=127.0.0.1:80", "--simulated-pages=false"], false),
    ] {
        assert_eq!(read(args).unwrap().serves_simulated_pages(), served, "{args:?}");
    }
    let refused = refusal(&["--simulated-pages=yes"]);
    assert!(refused.contains("ORDERMILL_SIMULATED_PAGES (--simulated-pages) is `yes`"));
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
    assert!(message.starts_with("3 settings are invalid\n"), "{message}");
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
    assert!(refusal(&[url]).starts_with("ORDERMILL_MAIL_FROM (--mail-from): required"));
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
    assert!(effect::unknown("ORDERMILL_LISTN").unwrap().contains("ORDERMILL_LISTEN?"));
}

#[test]
fn explicit_contradictions_are_refused() {
    let message = refusal(&["--flow=choreographed", "--plan=reserve-first"]);
    assert!(message.contains("ORDERMILL_PLAN (--plan) is `reserve-first`"), "{message}");
    assert!(message.contains("conflicts with ORDERMILL_FLOW"), "{message}");
    // A default contradicts nothing, and neither does an empty value.
    for flags in [
        &["--flow=choreographed"][..],
        &["--flow=choreographed", "--plan="],
        &["--flow=choreographed", "--plan=payment-first"],
        &["--flow=orchestrated", "--plan=reserve-first"],
    ] {
        assert!(read(flags).is_ok(), "{flags:?}");
    }
}

const SERVERS: [&str; 2] = ["--database-url=postgres://h/d", "--amqp-url=amqp://h"];

#[test]
fn settings_without_effect_are_named_in_one_line() {
    let notices = |flags: &[&str]| read(&[&SERVERS[..], flags].concat()).unwrap().notices;
    assert_eq!(notices(&[]), Vec::<String>::new());
    assert_eq!(
        notices(&["--services=order", "--sms=log", "--data-dir=x", "--shipping-failure-rate=0.1"]),
        ["settings without effect: ORDERMILL_DATA_DIR (the databases are on PostgreSQL), \
          SHIPPING_FAILURE_RATE (the shipping service does not run in this process), ORDERMILL_SMS \
          (the notification service does not run in this process)"]
    );
    for (flags, variables) in [
        (&["--services=audit", "--plan=payment-first"][..], &["ORDERMILL_PLAN"][..]),
        (&["--services=order", "--payment-latency=1s"], &["PAYMENT_LATENCY"]),
        (&["--services=audit", "--idle-after=1s"], &["ORDERMILL_IDLE_AFTER"]),
        (&["--services=order", "--audit-database-url=postgres://h/a"], &["AUDIT_DATABASE_URL"]),
        (&["--services=order", "--order-database-url=postgres://h/o"], &["DATABASE_URL"]),
        (&["--mail-from=shop@example.com"], &["ORDERMILL_MAIL_FROM"]),
    ] {
        let notices = notices(flags);
        assert_eq!(notices.len(), 1, "{flags:?}: {notices:?}");
        assert!(variables.iter().all(|variable| notices[0].contains(variable)), "{notices:?}");
    }
    let embedded = read(&["--startup-timeout=1s"]).unwrap().notices;
    assert!(embedded[0].contains("ORDERMILL_STARTUP_TIMEOUT"), "{embedded:?}");
    assert!(read(&["--sms=log", "--payment-latency=1s"]).unwrap().notices.is_empty());
}

#[test]
fn payment_methods_are_a_list() {
    let methods = |flags: &[&str]| read(flags).unwrap().order.payment_methods.to_string();
    assert!(methods(&[]).starts_with("credit_card, card, paypal"));
    assert!(methods(&[]).ends_with("test_refund_by_hand"));
    assert_eq!(methods(&["--payment-methods=card, sepa"]), "card, sepa");
    let message = refusal(&["--payment-methods=card,tset declined"]);
    assert!(message.contains("ORDERMILL_PAYMENT_METHODS"), "{message}");
    assert!(read(&["--payment-methods=test_typo"]).is_err());
}

#[test]
fn a_setting_that_holds_an_address_by_mistake_is_not_quoted() {
    for flag in ["--listen", "--plan", "--mail-from", "--log", "--services", "--order-timeout"] {
        let set = format!("{flag}=amqp://user:hunter2@host");
        let smtp = "--smtp-url=smtp://localhost";
        let message = refusal(&[&set, smtp]);
        assert!(!message.contains("hunter2") && message.contains(flag), "{message}");
    }
}

const KEY: &str = "--midtrans-server-key=SB-Mid-server-hunter2";
const ROUTES: &str = "--gateways=midtrans:IDR; simulated:*";

#[test]
fn payments_go_to_the_simulated_gateway_by_default() {
    let config = read(&[]).unwrap();
    assert_eq!(config.gateways.routes, GatewayRoutes::default());
    assert_eq!((config.gateways.payment_window, config.webhook_listen), (None, None));
    assert!(config.gateways.midtrans.is_none() && config.notices.is_empty());
}

#[test]
fn midtrans_is_read_and_its_keys_stay_secret() {
    let previous = "--midtrans-server-key-previous=SB-Mid-server-hunter1";
    let config = read(&[
        ROUTES,
        KEY,
        previous,
        "--midtrans-api-url=http://127.0.0.1:8091",
        "--midtrans-merchant-id=G123456789",
        "--midtrans-order-prefix=shop-",
        "--payment-window=10m",
        "--webhook-listen=127.0.0.1:0",
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter"));
    assert!(config.notices.is_empty(), "{:?}", config.notices);
    assert_eq!(config.gateways.payment_window, Some(Duration::from_secs(600)));
    assert_eq!(config.webhook_listen, Some("127.0.0.1:0".parse().unwrap()));
    let midtrans = config.gateways.midtrans.unwrap();
    assert_eq!(midtrans.api_url.to_string(), "http://127.0.0.1:8091");
    assert_eq!(midtrans.snap_url.to_string(), "https://app.sandbox.midtrans.com");
    assert_eq!(midtrans.merchant_id.as_deref(), Some("G123456789"));
    assert!(midtrans.keys.get().previous.is_some());
    assert!(read(&[KEY]).unwrap().gateways.midtrans.is_some(), "for payments in progress");
}

#[test]
fn midtrans_settings_that_cannot_work_are_refused() {
    let refused = |flags: &[&str]| refusal(&[&[ROUTES, KEY], flags].concat());
    for flags in [&[ROUTES][..], &[ROUTES, "--midtrans-server-key= "]] {
        let message = refusal(flags);
        assert!(message.starts_with("MIDTRANS_SERVER_KEY"), "{message}");
    }
    for (flags, variable) in [
        (&["--order-timeout=7m59s"][..], "ORDERMILL_ORDER_TIMEOUT"),
        (&["--payment-window=4m59s"], "ORDERMILL_PAYMENT_WINDOW"),
        (&["--payment-window=12m1s"], "ORDERMILL_PAYMENT_WINDOW"),
        (&["--payment-methods=card,paypal"], "ORDERMILL_PAYMENT_METHODS"),
        (&["--payment-methods=cstore", "--plan=payment-first"], "ORDERMILL_PAYMENT_METHODS"),
        (&["--midtrans-environment=live"], "MIDTRANS_ENVIRONMENT"),
        (&["--midtrans-api-url=http://api.midtrans.com"], "MIDTRANS_API_URL"),
        (&["--midtrans-snap-url=https://user:hunter2@h"], "MIDTRANS_SNAP_URL"),
        (&["--midtrans-merchant-id=G 1"], "MIDTRANS_MERCHANT_ID"),
        (&["--midtrans-order-prefix=a/b"], "MIDTRANS_ORDER_PREFIX"),
        (&["--midtrans-server-key-previous=hunter2 hunter2"], "MIDTRANS_SERVER_KEY_PREVIOUS"),
        (&["--webhook-listen=8443"], "ORDERMILL_WEBHOOK_LISTEN"),
    ] {
        let message = refused(flags);
        assert!(message.starts_with(variable), "{flags:?}: {message}");
        assert!(!message.contains("hunter"), "{message}");
    }
    assert!(read(&[ROUTES, KEY, "--order-timeout=8m", "--payment-window=5m"]).is_ok());
    for routes in ["midtrans:USD", "stripe:EUR", "midtrans"] {
        let message = refusal(&[&format!("--gateways={routes}")]);
        assert!(message.contains("ORDERMILL_GATEWAYS"), "{message}");
    }
}

#[test]
fn orders_that_are_paid_before_their_stock_is_reserved_are_warned_of() {
    for flag in ["--plan=payment-first", "--flow=choreographed"] {
        let notices = read(&[ROUTES, KEY, flag]).unwrap().notices;
        assert!(notices[0].contains("sold out"), "{notices:?}");
        assert!(read(&[flag]).unwrap().notices.is_empty());
    }
}

#[test]
fn only_the_payment_service_needs_the_key() {
    let order = [&SERVERS[..], &[ROUTES, "--services=order"]].concat();
    assert!(read(&order).unwrap().notices.is_empty());
    let with_key = read(&[&order[..], &[KEY]].concat()).unwrap().notices;
    assert!(with_key[0].contains("MIDTRANS_SERVER_KEY"), "{with_key:?}");
    let payment = [&SERVERS[..], &[ROUTES, "--services=payment"]].concat();
    assert!(refusal(&payment).starts_with("MIDTRANS_SERVER_KEY"));
}
